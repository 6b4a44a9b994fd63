#pragma once

#include <csignal>

namespace bitlaw {

/// While one lives, SIGINT and SIGTERM ask for a stop instead of ending the process; a second one ends it at once.
/// One at a time: signals belong to the process.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  static bool stop_asked();

 private:
  struct sigaction interrupt_ {
  }, terminate_{};  // what was there before
};

}  // namespace bitlaw
