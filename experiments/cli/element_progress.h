#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

#include "experiments/launch/stop_signals.h"

namespace bitlaw {

/// "[#####---------------] 27 %, 310 M elements/s, 12 s left"
std::string element_progress_line(std::int64_t done, std::int64_t all, double seconds);

/// "[#####---------------] 270/1000, 12 s left", for things that are few and take long.
std::string item_progress_line(std::int64_t done, std::int64_t all, double seconds);

/// One line on a terminal that is rewritten while work on many elements goes on, from its second second on; elsewhere
/// nothing. The destructor wipes it.
class ElementProgress {
 public:
  using Line = std::string (*)(std::int64_t done, std::int64_t all, double seconds);
  ElementProgress(std::FILE* out, bool terminal, Line line = element_progress_line);
  ~ElementProgress();
  ElementProgress(const ElementProgress&) = delete;
  ElementProgress& operator=(const ElementProgress&) = delete;
  void update(std::int64_t done, std::int64_t all);

 private:
  std::FILE* out_;
  Line line_;
  bool terminal_;
  double start_, shown_;  // when [s]
  bool line_open_ = false;
};

/// Told after every part the elements done and all of them; false stops.
using ElementsDone = std::function<bool(std::int64_t done, std::int64_t all)>;

/// What `work` returns, whose one argument is an ElementsDone that says stop after SIGINT or SIGTERM and shows progress
/// on stderr where that is a terminal.
template <typename Work>
auto with_element_progress(Work work, ElementProgress::Line line = element_progress_line) {
  const StopSignals signals;
  ElementProgress progress(stderr, ::isatty(STDERR_FILENO) == 1, line);
  return work([&](std::int64_t done, std::int64_t all) {
    progress.update(done, all);
    return !StopSignals::stop_asked();
  });
}

}  // namespace bitlaw
