#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/record/run_record.h"
#include "simulators/train/task_factory.h"
#include "simulators/train/train_config.h"

namespace bitlaw {

/// What the surroundings of a run decide; none of it changes the run's bits.
struct TrainOptions {
  std::string identity;                           ///< the run's id: a checkpoint of another run is refused
  std::filesystem::path checkpoint;               ///< file to resume from when it exists and to save to; empty: neither
  double checkpoint_seconds = 30;                 ///< save about this often
  int threads = 1;                                ///< that share the work of each step
  std::function<void(double flops)> on_progress;  ///< called after each step with the flops done so far in this run
  std::function<bool()> should_stop;  ///< asked after each step; true: save a checkpoint and return unfinished
};

/// Where the checkpoint after `step` steps is kept (TrainConfig::keep_checkpoints): beside `checkpoint`, with the
/// suffix ".stepN".
std::filesystem::path kept_checkpoint(const std::filesystem::path& checkpoint, std::int64_t step);

/// What is known of a run's record before it is trained: all but losses, state, time, run_id and config.
RunRecord untrained_record(const TrainConfig& config, const TaskData& data);

/// Trains to the end and evaluates. The record lacks run_id and config, which its caller knows.
/// Returns nothing when should_stop said so. DamagedFile when the checkpoint is corrupt or of another run.
///
/// A run that starts from another one's state has that one's curve up to there; its training loss is the mean over
/// those of the last tenth of the steps that it made itself.
std::optional<RunRecord> train(const TrainConfig& config, const TaskData& data, const TrainOptions& options = {});

}  // namespace bitlaw
