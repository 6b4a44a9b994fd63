#include "simulators/quantized/delayed_scales.h"

#include "core/block/quantize_blocks.h"

namespace bitlaw {
namespace {

std::string name_of(const std::string& layer, std::size_t slot) { return layer + "." + std::string(kSlotNames[slot]); }

}  // namespace

float OperandAmax::held(const DelayedScaling& scaling, std::int64_t step, ConstMatrixView<float> x) {
  const float amax = amax_.samples(scaling, step) ? finite_amax(x) : 0;
  pass_ = Sample{scaling, amax};
  return amax_.held(scaling, step, amax);
}

void OperandAmax::end_step(std::int64_t step) {
  if (pass_) amax_.add(pass_->scaling, step, pass_->amax);
  pass_ = std::nullopt;
}

DelayedScales::DelayedScales(std::span<const LinearShape> layers) : layers_(layers.size()) {
  for (const LinearShape& layer : layers) names_.push_back(layer.name);
}

void DelayedScales::begin_step() {
  for (LayerAmax& layer : layers_) {
    for (OperandAmax& operand : layer) operand.forget_pass();
  }
}

void DelayedScales::end_step(std::int64_t step) {
  for (LayerAmax& layer : layers_) {
    for (OperandAmax& operand : layer) operand.end_step(step);
  }
}

DelayedScales::State DelayedScales::state() const {
  State state;
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      const std::vector<float>& history = layers_[layer][slot].history();
      if (!history.empty()) state.emplace(name_of(names_[layer], slot), history);
    }
  }
  return state;
}

void DelayedScales::restore(const State& state) {
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
      const auto found = state.find(name_of(names_[layer], slot));
      layers_[layer][slot].restore(found == state.end() ? std::vector<float>() : found->second);
    }
  }
}

}  // namespace bitlaw
