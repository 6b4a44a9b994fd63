#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

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

}  // namespace bitlaw
