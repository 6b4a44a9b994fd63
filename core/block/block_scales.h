#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/block/block_grid.h"
#include "core/block/block_scale.h"

namespace bitlaw {

/// What DoubleQuantization makes of float32 scales.
struct ScaleGroups {
  float mean = 0;              ///< of all finite scales, summed in float64
  std::vector<float> steps;    ///< of each DoubleQuantization::size consecutive scales
  std::vector<float> offsets;  ///< (X - mean) / step rounded to DoubleQuantization::format, of each scale

  friend bool operator==(const ScaleGroups&, const ScaleGroups&) = default;
};

/// All scales of an operand.
struct BlockScales {
  BlockGrid grid;
  TensorScale tensor;
  std::vector<BlockScale> blocks;     ///< [grid.count()]
  std::optional<ScaleGroups> groups;  ///< with double quantization; then `scale` of the blocks is the rounded one
};

/// The scales of x, by definition: the statistic of each block, its scale, the search around it, double quantization.
/// `parameters`, if any, take the place of BlockSpec::parameter: of block b parameters[b % n], so n is the number of
/// blocks or of those side by side. `held_amax` stands for the operand's largest magnitude g, and for a of
/// BlockShape::Tensor, in place of that of x.
BlockScales block_scales(const BlockSpec& spec, KAxis k_axis, ConstMatrixView<float> x,
                         std::optional<float> held_amax = std::nullopt, std::span<const float> parameters = {});

/// X of double quantization from the code's value: value * step + mean.
constexpr float double_quantized_scale(float value, float step, float mean) { return value * step + mean; }

/// What is rounded to the element format for v: ElementScaling. NaN where decode is. Where a scaling that divides meets
/// a scale of zero, zero with the sign of v. T is double for DivideExact, else float: two float32 differ from a
/// midpoint of fewer bits by more than float64's half place, so the quotient counts as not rounded.
template <typename T>
T scaled_value(const BlockSpec& spec, const BlockScale& scale, float v);

/// q: the value of the element format that v is stored as, before it is multiplied by decode. NaN where decode is.
float stored_element(const BlockSpec& spec, const Rounding& rounding, const BlockScale& scale, float v,
                     const RandomStream& stream, std::uint64_t element);

}  // namespace bitlaw
