#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/record/run_record.h"
#include "experiments/launch/progress.h"
#include "experiments/launch/run_store.h"
#include "experiments/sweep/experiment.h"
#include "simulators/train/trainer.h"

namespace bitlaw {

/// How runs are executed on this machine. None of it changes a result.
struct LaunchOptions {
  int workers = 1;                                           ///< runs at the same time
  int threads = 1;                                           ///< of each run
  std::function<bool()> should_stop = [] { return false; };  ///< asked after each step of each run
  std::FILE* log = stderr;                                   ///< where progress goes
  bool terminal = false;                                     ///< whether `log` is one
  double checkpoint_seconds = 30;                            ///< between two checkpoints of a run
  /// What executes a run.
  std::function<std::optional<RunRecord>(const TrainConfig&, const TaskData&, const TrainOptions&)> runner = train;
};

/// A run that ended with an error: a full disk, no memory, a damaged checkpoint. Divergence is a result instead.
struct RunFailure {
  std::string id, label, message;
};

struct LaunchResult {
  std::vector<std::optional<RunRecord>> records;  ///< in the order of the runs; empty: failed or stopped
  std::vector<RunFailure> failures;
  std::size_t trained = 0;  ///< records that this launch made; the others were there
  bool stopped = false;
};

/// Brings every run to its result: finished ones are loaded, started ones continue from their checkpoint. The largest
/// (in floating-point operations) start first, so that no long run is left alone at the end. After a stop, each
/// unfinished run has a checkpoint. One run's failure does not stop the others.
LaunchResult launch(const std::vector<PlannedRun>& runs, const RunStore& store, const LaunchOptions& options);

}  // namespace bitlaw
