#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/block/delayed_amax.h"
#include "core/tensor/matrix.h"
#include "simulators/quantized/layer_plan.h"

namespace bitlaw {

/// The largest magnitudes of one operand: those of earlier steps, and that of the last pass.
class OperandAmax {
 public:
  /// What x, the operand in a pass of `step`, is scaled with. Changes nothing for later passes of the step.
  float held(const DelayedScaling& scaling, std::int64_t step, ConstMatrixView<float> x);

  void forget_pass() { pass_ = std::nullopt; }
  /// Lets the sample of the last pass count from now on, if it took one.
  void end_step(std::int64_t step);

  const std::vector<float>& history() const { return amax_.history(); }
  void restore(std::vector<float> history) { amax_.restore(std::move(history)); }

 private:
  struct Sample {
    DelayedScaling scaling;
    float amax;
  };
  DelayedAmax amax_;
  std::optional<Sample> pass_;
};

/// Those of a layer, by Slot.
using LayerAmax = std::array<OperandAmax, kSlots>;

/// What delayed scaling knows of a model's operands: the only state of a model beside its parameters. Only passes
/// between begin_step() and end_step() add to it. Any other, such as one over held-out data, rounds as a step of its
/// number would and leaves it as it is.
class DelayedScales {
 public:
  DelayedScales() = default;
  explicit DelayedScales(std::span<const LinearShape> layers);

  LayerAmax& of(std::size_t layer) { return layers_[layer]; }

  /// Before the forward pass of a step in training, and after its backward pass.
  void begin_step();
  void end_step(std::int64_t step);

  /// Samples by operand, such as "block0.attention.qkv.fwd.x"; those that have any.
  using State = std::map<std::string, std::vector<float>>;
  State state() const;
  /// Names that the model has not are passed over.
  void restore(const State& state);

 private:
  std::vector<std::string> names_;
  std::vector<LayerAmax> layers_;
};

}  // namespace bitlaw
