#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "experiments/launch/attempts.h"
#include "experiments/launch/run_store.h"

namespace bitlaw {

/// A run that a process has claimed.
struct RunningRun {
  std::string id, label;
  std::string host;
  std::int64_t pid = 0;
  double part = 0;            ///< done at the owner's last beat, from 0 to 1
  bool vanished = false;      ///< its process on this machine has ended, so the run is free for others
  double silent_seconds = 0;  ///< since its sign of life last changed, as far as this object has watched
};

/// A run that is not tried again by itself.
struct GivenUpRun {
  std::string id, label;
  std::size_t attempts = 0;
  Attempt last;
};

struct SweepStatus {
  std::size_t runs = 0, done = 0;
  std::vector<RunningRun> running;
  std::vector<GivenUpRun> given_up;
  std::map<std::string, std::size_t> jobs;  ///< tasks of the submitted jobs by the state that Slurm tells, "RUNNING"

  /// Whether nothing happens any more until somebody asks for it.
  bool at_rest() const { return done + given_up.size() == runs; }
};

/// Looks at an experiment's files, and at Slurm where there is one, as often as asked.
class SweepWatch {
 public:
  SweepWatch(const Experiment& experiment, std::filesystem::path results);
  SweepStatus look();

 private:
  struct Beat {
    std::string text;
    std::chrono::steady_clock::time_point since;
  };
  void look_at(const PlannedRun& run, SweepStatus& status);

  const Experiment& experiment_;
  std::filesystem::path results_;
  RunStore store_;
  std::map<std::string, Beat> beats_;  // by run
};

/// Lines for each running and given-up run and for the jobs; "" when there are none.
std::string details_text(const SweepStatus& status);
/// The same as an object of "running", "failed" and "jobs".
std::string details_json(const SweepStatus& status);

}  // namespace bitlaw
