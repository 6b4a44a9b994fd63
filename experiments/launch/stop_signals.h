#pragma once

#include <array>
#include <csignal>

namespace bitlaw {

/// While one lives, SIGINT, SIGTERM and SIGUSR1 ask for a stop instead of ending the process. A second SIGINT, Ctrl-C,
/// ends it at once; of the others, schedulers send several. One at a time: signals belong to the process.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  static bool stop_asked();

 private:
  static constexpr std::array kSignals{SIGINT, SIGTERM, SIGUSR1};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace bitlaw
