#include "simulators/train/step_statistics.h"

#include <algorithm>

#include "simulators/quantized/statistics.h"

namespace bitlaw {
namespace {

/// Adds how the gradients of each parameter compare with those in float32.
void compare_gradients(const std::string& recipe, std::int64_t step, Task& task, Task& plain,
                       RunStatistics& statistics) {
  const auto weights = static_cast<std::int64_t>(plain.parameters().values().size());
  for (const Parameter& p : task.parameters().layout()) {
    if (p.first >= weights) break;  // what only this recipe trains stands behind the weights
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
  const auto values = task.parameters().values(), own = shadow.parameters().values();
  std::copy_n(values.begin(), std::min(values.size(), own.size()), own.begin());
  shadow.parameters().set_means(task.parameters().means());
  shadow.forward(step);
  shadow.backward(loss_scale);
}

void StepStatistics::begin(Task& task, std::int64_t step, RunStatistics& statistics) {
  if (layers_.empty()) layers_ = linear_shapes(config_, data_);
  observer_ = std::make_unique<StatisticsObserver>(statistics, config_.recipe.name, step, layers_);
  weights_ = WeightMovement(observer_.get());
  task.observe(&weights_);
}

void StepStatistics::after_update(Task& task, std::int64_t step, RunStatistics& statistics) {
  WeightMovement moved;
  task.observe(&moved);
  task.forward(step);  // the same batch and random bits
  task.observe(nullptr);
  const std::map<std::uint16_t, double> rates = weights_.oscillation(moved);
  for (SlotStatistics& row : statistics.slots) {
    if (row.step != step || row.recipe != config_.recipe.name || row.slot != kSlotNames[1]) continue;
    for (const auto& [layer, rate] : rates) {
      if (layers_[layer].name == row.layer && layers_[layer].kind != ProductKind::Attention) row.oscillation = rate;
    }
  }
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
