#include "simulators/train/run_work.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace bitlaw {
namespace {

double& of(RunWork& work, WorkKind kind) { return work[static_cast<std::size_t>(kind)]; }

/// `passes` of an operand of `count` numbers through a slot.
void add_operand(RunWork& work, const SlotSpec& slot, double count, double passes) {
  if (slot.rotate > 0) of(work, WorkKind::Rotated) += count * passes;
  if (!slot.block) return;
  of(work, slot.rounding.is_stochastic() ? WorkKind::Stochastic : WorkKind::Rounded) += count * passes;
}

/// `steps` training steps, and the forward products of as many as `forward` more, of one product with these slots.
void add_product(RunWork& work, const LinearShape& shape, double copies, const LinearSlots& slots, double steps,
                 double forward) {
  const double x = static_cast<double>(shape.rows * shape.in) * copies;
  const double w = static_cast<double>(shape.in * shape.out) * copies;
  const double y = static_cast<double>(shape.rows * shape.out) * copies;
  const double flops = 2 * static_cast<double>(shape.in) * y;
  of(work, WorkKind::Products) += flops * (3 * steps + forward);
  of(work, WorkKind::Activations) += (x + y) * (2 * steps + forward);
  of(work, WorkKind::Calls) += 2 * steps + forward;
  add_operand(work, slots[Slot::FwdX], x, steps + forward);
  add_operand(work, slots[Slot::FwdW], w, steps + forward);
  add_operand(work, slots[Slot::DgradG], y, steps);
  add_operand(work, slots[Slot::DgradW], w, steps);
  add_operand(work, slots[Slot::WgradG], y, steps);
  add_operand(work, slots[Slot::WgradX], x, steps);
}

/// Evaluations on held-out data, in training steps' worth of samples.
double evaluation_steps(const TrainConfig& config) {
  const double evaluations =
      1.0 + (config.validate_every > 0 ? static_cast<double>(config.steps() / config.validate_every) : 0.0);
  return evaluations * static_cast<double>(config.eval_tokens) / static_cast<double>(config.tokens_per_step());
}

}  // namespace

RunWork run_work(const TrainConfig& config, const TaskData& data) {
  const std::vector<LinearShape> shapes = linear_shapes(config, data);
  const LayerPlan plan(config.recipe, shapes, config.steps());
  const double evaluations = evaluation_steps(config);
  RunWork work{};
  for (std::size_t layer = 0; layer < shapes.size(); ++layer) {
    const bool attention = shapes[layer].kind == ProductKind::Attention;  // whose shape is that of one head
    const double copies = attention ? static_cast<double>(config.batch) * config.model.heads : 1;
    const auto& phases = plan.phases(layer);
    for (std::size_t p = 0; p < phases.size(); ++p) {
      const std::int64_t end = p + 1 < phases.size() ? phases[p + 1].first_step : config.steps();
      const double forward = p + 1 < phases.size() ? 0 : evaluations;
      add_product(work, shapes[layer], copies, phases[p].slots, static_cast<double>(end - phases[p].first_step),
                  forward);
    }
  }
  of(work, WorkKind::Weights) =
      static_cast<double>(task_counts(config, data).params_total) * static_cast<double>(config.steps());
  return work;
}

}  // namespace bitlaw
