#pragma once

#include <memory>
#include <vector>

#include "core/record/statistics_record.h"
#include "simulators/quantized/weight_movement.h"
#include "simulators/train/task_factory.h"
#include "simulators/train/train_config.h"

namespace bitlaw {

/// Looks at what a run's rounding does, in every so many steps: its operands and products, its gradients against those
/// of the same step in float32, and the same for each shadow recipe on the same weights and batch. Costs that step's
/// time once more for float32 and for each shadow, its forward pass once more, and their memory from the first such
/// step on.
class StepStatistics {
 public:
  /// Both must outlive it.
  StepStatistics(const TrainConfig& config, const TaskData& data) : config_(config), data_(data) {}

  bool is_due(std::int64_t step) const { return config_.statistics.every > 0 && step % config_.statistics.every == 0; }

  /// Before the forward pass of the step: the task's layers will be seen.
  void begin(Task& task, std::int64_t step, RunStatistics& statistics);

  /// After its backward pass with this loss scale, before the update.
  void end(Task& task, std::int64_t step, float loss_scale, RunStatistics& statistics);

  /// After the update: how far it moved the rounded weights, found by one more forward pass.
  void after_update(Task& task, std::int64_t step, RunStatistics& statistics);

 private:
  /// A task that takes the same steps with another recipe.
  struct Shadow {
    std::string recipe;
    std::unique_ptr<Task> task;
  };
  void make_shadows();
  static void take_step(Task& shadow, Task& task, std::int64_t step, float loss_scale);

  const TrainConfig& config_;
  const TaskData& data_;
  std::vector<LinearShape> layers_;
  std::unique_ptr<LinearObserver> observer_;
  WeightMovement weights_;  ///< of the step, before its update
  std::unique_ptr<Task> plain_;
  std::vector<Shadow> shadows_;
};

}  // namespace bitlaw
