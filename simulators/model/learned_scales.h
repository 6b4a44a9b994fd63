#pragma once

#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "core/block/block_grid.h"
#include "simulators/model/parameters.h"
#include "simulators/quantized/layer_plan.h"
#include "simulators/quantized/quantized_linear.h"

namespace bitlaw {

/// The parameters of scales that a model trains beside its weights: for each layer and slot that learns, one or one for
/// each group, a step (LSQ, Esser et al. 2020, arXiv:1902.08153) or a share of the largest magnitude (learned clipping,
/// LAC and LWC of arXiv:2308.13137, there for groups). Trained as logarithms, so that they stay positive and a learning
/// rate means a relative change. The derivative is that of the products as the recipe rounds them: a weight's scale
/// learns from wgrad.g and wgrad.x, an activation's from dgrad.g and dgrad.w, as the weights and activations themselves
/// do, so from operands before rounding where these slots have no format. Not counted among the parameters of a model.
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
        indices_[layer][s] =
            parameters.add(layers[layer].name + "." + std::string(kSlotNames[s]) + ".scale", 1,
                           count(*learned, slot, layers[layer]), 0, std::log(learned->block->parameter));
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
      const auto size = static_cast<std::size_t>(parameters.layout()[index].size());
      scratch.learned[s] = {{parameters.weight(index).data, size}, {parameters.gradient(index).data, size}};
    }
  }

 private:
  static std::int64_t count(const SlotSpec& learned, Slot slot, const LinearShape& layer) {
    if (learned.learned == Learned::Layer) return 1;
    const BlockGrid weights = block_grid(*learned.block, KAxis::Cols, layer.out, layer.in);
    return slot == Slot::FwdW ? weights.count() : weights.across();
  }

  static constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::array<std::size_t, 2>> indices_;
};

}  // namespace bitlaw
