#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

/// How an attempt at a run ended without a result. A divergence is a result; a stop by a signal or a time limit leaves
/// a checkpoint; a disk that is full or read-only is not the run's fault: none of these is an attempt.
enum class FailureKind {
  Killed,       ///< the process vanished: SIGKILL, which the kernel sends where memory is short, or a crash
  HostLost,     ///< another host's process gave no sign any more
  OutOfMemory,  ///< memory was refused
  Error         ///< the run said what is wrong
};

struct Attempt {
  FailureKind kind = FailureKind::Error;
  std::string message;  ///< of one line
};

/// After so many attempts in a row that saved no new checkpoint, a run is not tried again by itself.
inline constexpr std::size_t kMostAttempts = 3;

/// Adds a file `attempt-<process>-<number>.json` to a run's folder.
void record_attempt(const std::filesystem::path& run_folder, const Attempt& attempt);

/// Those recorded, in no order. Unreadable ones count as errors.
std::vector<Attempt> attempts_in(const std::filesystem::path& run_folder);

void forget_attempts(const std::filesystem::path& run_folder);

/// "killed", "host lost", "out of memory", "error".
std::string_view to_text(FailureKind kind);

}  // namespace bitlaw
