#include "simulators/train/step_statistics.h"

#include <algorithm>

#include "simulators/quantized/statistics.h"

namespace bitlaw {
namespace {

/// Adds how the gradients of each parameter compare with those in float32.
void compare_gradients(const std::string& recipe, std::int64_t step, Task& task, Task& plain,
                       RunStatistics& statistics) {
  for (const Parameter& p : task.parameters().layout()) {
    const auto first = static_cast<std::size_t>(p.first), size = static_cast<std::size_t>(p.size());
    GradientStatistics s = gradient_statistics(task.parameters().gradients().subspan(first, size),
                                               plain.parameters().gradients().subspan(first, size));
    s.recipe = recipe;
    s.step = step;
    s.parameter = p.name;
    statistics.gradients.push_back(std::move(s));
  }
}

}  // namespace

void StepStatistics::make_shadows() {
  TrainConfig config = config_;
  config.recipe = Recipe{};
  plain_ = make_task(config, data_);
  for (const Recipe& recipe : config_.statistics.shadows) {
    config.recipe = recipe;
    shadows_.push_back({recipe.name, make_task(config, data_)});
  }
}

void StepStatistics::take_step(Task& shadow, Task& task, std::int64_t step, float loss_scale) {
  const auto values = task.parameters().values();
  std::copy(values.begin(), values.end(), shadow.parameters().values().begin());
  shadow.forward(step);
  shadow.backward(loss_scale);
}

void StepStatistics::begin(Task& task, std::int64_t step, RunStatistics& statistics) {
  if (layers_.empty()) layers_ = linear_shapes(config_, data_);
  observer_ = std::make_unique<StatisticsObserver>(statistics, config_.recipe.name, step, layers_);
  task.observe(observer_.get());
}

void StepStatistics::end(Task& task, std::int64_t step, float loss_scale, RunStatistics& statistics) {
  task.observe(nullptr);
  if (!plain_) make_shadows();
  take_step(*plain_, task, step, loss_scale);
  compare_gradients(config_.recipe.name, step, task, *plain_, statistics);
  for (Shadow& shadow : shadows_) {
    observer_ = std::make_unique<StatisticsObserver>(statistics, shadow.recipe, step, layers_);
    shadow.task->observe(observer_.get());
    take_step(*shadow.task, task, step, loss_scale);
    shadow.task->observe(nullptr);
    compare_gradients(shadow.recipe, step, *shadow.task, *plain_, statistics);
  }
}

}  // namespace bitlaw
