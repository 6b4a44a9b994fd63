#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/record/run_record.h"
#include "experiments/launch/progress.h"
#include "experiments/launch/run_store.h"
#include "experiments/sweep/experiment.h"
#include "simulators/train/trainer.h"

namespace bitlaw {

/// What a launch does when the rest of the runs is in the hands of other processes.
enum class Others : std::uint8_t {
  WaitFor,     ///< stay until every run has its result
  LeaveThemTo  ///< end as soon as each of them has been seen to live
};

/// How runs are executed by this process. None of it changes a result.
struct LaunchOptions {
  int workers = 1;                                           ///< runs at the same time, each in a process of its own
  int threads = 1;                                           ///< of each run
  std::function<bool()> should_stop = [] { return false; };  ///< asked after each step of each run
  std::FILE* log = stderr;                                   ///< where progress goes
  bool terminal = false;                                     ///< whether `log` is one
  double checkpoint_seconds = 30;                            ///< between two checkpoints of a run
  Others others = Others::WaitFor;
  bool load_results = true;  ///< false: `records` stay empty, and results are not read
  bool retry_failed = true;  ///< also runs with kMostAttempts behind them
  double beat_seconds = 5;   ///< between two signs of life of a claim
  /// For all workers together [bytes]: one of several begins a run only where it fits beside those of the others, or
  /// when nobody else trains.
  std::int64_t memory = std::numeric_limits<std::int64_t>::max();
  /// What a process needs that trains a run alone [bytes]; nothing where that is not known. Not set: memory is not
  /// looked at.
  std::function<std::optional<std::int64_t>(const PlannedRun&, int threads)> peak_memory = nullptr;
  /// What executes a run.
  std::function<std::optional<RunRecord>(const TrainConfig&, const TaskData&, const TrainOptions&)> runner = train;
};

/// A run that ended with an error: a full disk, no memory. Divergence is a result instead.
struct RunFailure {
  std::string id, label, message;
};

struct LaunchResult {
  std::vector<std::optional<RunRecord>> records;  ///< in the order of the runs; empty: failed, stopped, or with others
  std::vector<RunFailure> failures;
  std::size_t trained = 0;      ///< results that this launch published
  std::size_t with_others = 0;  ///< runs left to other processes
  bool stopped = false;
};

/// Brings every run to its result, together with any number of other processes that do the same in this folder: each
/// run is claimed (claims.h) by the one that trains it. Finished runs are loaded, started ones continue from their
/// checkpoint, damaged results and checkpoints are set aside and told. The largest (in floating-point operations)
/// start first, so that no long run is left alone at the end. After a stop, each unfinished run has a checkpoint and is
/// free for others. One run's failure does not stop the others; this process does not try it again.
LaunchResult launch(const std::vector<PlannedRun>& runs, const RunStore& store, const LaunchOptions& options);

}  // namespace bitlaw
