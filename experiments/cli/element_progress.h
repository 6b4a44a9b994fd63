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

/// One line on a terminal that is rewritten while work on many elements goes on, from its second second on; elsewhere
/// nothing. The destructor wipes it.
class ElementProgress {
 public:
  ElementProgress(std::FILE* out, bool terminal);
  ~ElementProgress();
  ElementProgress(const ElementProgress&) = delete;
  ElementProgress& operator=(const ElementProgress&) = delete;
  void update(std::int64_t done, std::int64_t all);

 private:
  std::FILE* out_;
  bool terminal_;
  double start_, shown_;  // when [s]
  bool line_open_ = false;
};

/// Told after every part the elements done and all of them; false stops.
using ElementsDone = std::function<bool(std::int64_t done, std::int64_t all)>;

/// What `work` returns, whose one argument is an ElementsDone that says stop after SIGINT or SIGTERM and shows progress
/// on stderr where that is a terminal.
template <typename Work>
auto with_element_progress(Work work) {
  const StopSignals signals;
  ElementProgress progress(stderr, ::isatty(STDERR_FILENO) == 1);
  return work([&](std::int64_t done, std::int64_t all) {
    progress.update(done, all);
    return !StopSignals::stop_asked();
  });
}

}  // namespace bitlaw
