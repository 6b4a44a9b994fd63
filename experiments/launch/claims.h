#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/base/process.h"

namespace bitlaw {

/// What the file `claim` in a run's folder says: who trains the run.
struct ClaimFile {
  ProcessName owner;
  std::string beat;         ///< a number of 20 digits that the owner raises while it lives
  double beat_seconds = 0;  ///< how often it does so
  double part = 0;          ///< of the run that is done, at the last beat
  std::string from;         ///< the checkpoint that the owner began with, as checkpoint_mark() tells it
};

/// The claim in a run's folder; nothing when there is none. An owner without a name when it cannot be read.
std::optional<ClaimFile> read_claim(const std::filesystem::path& run_folder);

/// A word for the checkpoint in a run's folder: another after each save, "" when there is none.
std::string checkpoint_mark(const std::filesystem::path& run_folder);

/// The runs that this process has claimed, and what it knows of the claims of others.
///
/// A claim is a file made by link(2), so of any number of processes on any hosts that share the folder, one gets it. It
/// keeps a run from being trained twice at a time; nothing wrong comes of two owners, since a run's bits depend on its
/// configuration only and one result is published (RunStore::finish). So a claim may be taken from an owner that only
/// seems to be gone, and no clocks are compared between hosts:
/// - on this machine, an owner is gone when its process is;
/// - elsewhere, when its beat has not changed for `missed_beats` times its interval on this process's own steady clock.
class Claims {
 public:
  explicit Claims(double beat_seconds = 5, int missed_beats = 12);
  ~Claims();  ///< releases what is held
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;

  /// Claims the run of an existing folder; false while another owner lives or may live. What the owner before left
  /// half-written is removed, and that it vanished is recorded (attempts.h) unless it had saved a new checkpoint.
  /// WriteError when the claim cannot be written.
  bool take(const std::filesystem::path& run_folder);

  /// Whether the claim is still this process's: not so once another process took it, having seen no beat for long.
  bool holds(const std::filesystem::path& run_folder) const;

  /// How much of a run that this process holds is done, from 0 to 1. Told to others with the next beat.
  void tell_part(const std::filesystem::path& run_folder, double part);

  void release(const std::filesystem::path& run_folder);

  /// Whether the owner is known to live: its process is there, or its beat has changed since take() first saw it.
  bool seen_alive(const std::filesystem::path& run_folder) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Held;  // its file is open until both the map and a beat under way have let it go
  struct Watched {
    std::string claim;  ///< owner and beat, as last seen
    Clock::time_point since;
    bool changed = false;  ///< at least once since it was first seen
  };

  bool is_gone(const std::filesystem::path& run_folder, const ClaimFile& claim);
  void beat_until(const std::stop_token& stop);

  const std::chrono::duration<double> beat_;
  const int missed_beats_;
  mutable std::mutex mutex_;  // of held_ and watched_
  std::map<std::filesystem::path, std::shared_ptr<Held>> held_;
  std::map<std::filesystem::path, Watched> watched_;
  std::condition_variable_any ended_;
  std::jthread heart_;  // the last member: it uses the others
};

}  // namespace bitlaw
