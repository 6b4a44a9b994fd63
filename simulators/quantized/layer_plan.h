#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "simulators/quantized/recipe.h"

namespace bitlaw {

/// One product of a model that a recipe may quantize: y [rows, out] = x [rows, in] W[out, in]^T and its two gradients.
struct LinearShape {
  std::string name;  ///< e.g. "block0.mlp.down"; what stands before the first dot is its group
  ProductKind kind = ProductKind::Linear;
  std::int64_t rows = 0, in = 0, out = 0;
};

/// What every product of a model does in every step.
class LayerPlan {
 public:
  /// float32 everywhere, for any number of layers.
  LayerPlan() = default;
  /// `steps` are those of the whole run, for rules that hold for a part of it.
  LayerPlan(const Recipe& recipe, std::span<const LinearShape> layers, std::int64_t steps);

  /// Slots of layer `layer`, an index into what it was made of, in step `step`.
  const LinearSlots& slots(std::size_t layer, std::int64_t step) const;

  /// The first slots in which `slot` of this layer trains its parameter, or null.
  const SlotSpec* learned(std::size_t layer, Slot slot) const;

  /// A stretch of steps in which a layer does the same.
  struct Phase {
    std::int64_t first_step;
    LinearSlots slots;
  };
  /// In order; the first begins at step 0.
  const std::vector<Phase>& phases(std::size_t layer) const { return layers_[layer]; }

 private:
  std::vector<std::vector<Phase>> layers_;
};

/// Whether a slot rounds by the mean of the weights.
bool is_guided(const LinearSlots& slots);

/// Whether a slot's scaling is delayed.
bool is_delayed(const LinearSlots& slots);

/// Whether the rule selects the layer of this index.
bool selects(const RecipeRule& rule, std::span<const LinearShape> layers, std::size_t layer);

/// Why a recipe does not fit a model, or nothing.
///
/// A rule must select a layer and a step. Both operands of a product must rotate by the same size with the same kind of
/// signs, and it must divide what the product sums over.
std::optional<std::string> recipe_problem(const Recipe& recipe, std::span<const LinearShape> layers,
                                          std::int64_t steps);

}  // namespace bitlaw
