#pragma once

#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "simulators/model/parameters.h"
#include "simulators/quantized/layer_plan.h"
#include "simulators/quantized/quantized_linear.h"

namespace bitlaw {

/// The parameters of scales that a model trains beside its weights: for each layer and slot that learns, one step (LSQ,
/// Esser et al. 2020, arXiv:1902.08153) or one share of the largest magnitude (learned clipping, LAC and LWC of
/// arXiv:2308.13137, there one for each group). Trained as logarithms, so that they stay positive and a learning rate
/// means a relative change. The derivative is that of the products as the recipe rounds them: a weight's scale learns
/// from wgrad.g and wgrad.x, an activation's from dgrad.g and dgrad.w, as the weights and activations themselves do, so
/// from operands before rounding where these slots have no format. Not counted among the parameters of a model.
template <typename T>
class LearnedScales {
 public:
  LearnedScales() = default;

  /// Appends the parameters to those of the model, behind all others.
  LearnedScales(const LayerPlan& plan, std::span<const LinearShape> layers, ParameterSet<T>& parameters)
      : indices_(layers.size(), {kNone, kNone}) {
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      for (const Slot slot : {Slot::FwdX, Slot::FwdW}) {
        const SlotSpec* learned = plan.learned(layer, slot);
        if (learned == nullptr) continue;
        const auto s = static_cast<std::size_t>(slot);
        indices_[layer][s] = parameters.add(layers[layer].name + "." + std::string(kSlotNames[s]) + ".scale", 1, 1, 0,
                                            std::log(learned->block->parameter));
      }
    }
  }

  /// Hands those of a layer to the products that follow.
  void bind(std::size_t layer, ParameterSet<T>& parameters, LinearScratch<T>& scratch) const {
    scratch.learned = {};
    if (indices_.empty()) return;
    for (std::size_t s = 0; s < 2; ++s) {
      const std::size_t index = indices_[layer][s];
      if (index == kNone) continue;
      scratch.learned[s] = {parameters.weight(index).data, parameters.gradient(index).data};
    }
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::array<std::size_t, 2>> indices_;
};

}  // namespace bitlaw
