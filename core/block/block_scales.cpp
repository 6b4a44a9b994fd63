#include "core/block/block_scales.h"

#include <cmath>
#include <limits>

#include "core/block/block_statistic.h"
#include "core/block/scale_search.h"
#include "core/format/quantize.h"

namespace bitlaw {
namespace {

/// The elements of a block, each row of it after the other along K.
std::vector<float> block_values(const BlockRegion& region, KAxis k_axis, ConstMatrixView<float> x) {
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(region.rows * region.cols));
  const bool along_cols = k_axis == KAxis::Cols;
  for (std::int64_t i = 0; i < (along_cols ? region.rows : region.cols); ++i) {
    for (std::int64_t k = 0; k < (along_cols ? region.cols : region.rows); ++k) {
      values.push_back(x(region.row + (along_cols ? i : k), region.col + (along_cols ? k : i)));
    }
  }
  return values;
}

float largest_in(const BlockSpec& spec, ConstMatrixView<float> x) {
  std::vector<float> of_rows;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    of_rows.push_back(largest_magnitude({x.row(i), static_cast<std::size_t>(x.cols)}, spec.non_finite));
  }
  return largest_magnitude(of_rows, spec.non_finite);
}

BlockScale scale_of_values(const BlockSpec& spec, const TensorScale& tensor, float a, std::span<const float> values,
                           std::int64_t row_length) {
  const BlockScale scale = block_scale(spec, tensor, a);
  if (spec.search == ScaleSearch::None || a == 0 || !std::isfinite(a) || std::isnan(tensor.encode)) return scale;
  const BlockScale best = searched_scale(spec, tensor, unrounded_scale(spec, tensor, a), values, row_length);
  return best.scale == 0 ? scale : best;
}

float mean_scale(const std::vector<BlockScale>& blocks) {
  double sum = 0, count = 0;
  for (const BlockScale& block : blocks) {
    if (!std::isfinite(block.scale)) continue;
    sum += static_cast<double>(block.scale);
    ++count;
  }
  return count == 0 ? 0 : static_cast<float>(sum / count);
}

/// Rounds the scales of one group and adds its step and its offsets.
void round_group(const BlockSpec& spec, const TensorScale& tensor, std::span<BlockScale> group, ScaleGroups& groups) {
  const FormatSpec& format = spec.double_quantization->format;
  float most = 0;
  for (const BlockScale& block : group) {
    if (std::isfinite(block.scale)) most = std::max(most, std::abs(block.scale - groups.mean));
  }
  const float step = most / static_cast<float>(format.max_finite());
  groups.steps.push_back(step);
  for (BlockScale& block : group) {
    const float offset = step == 0 || !std::isfinite(block.scale) ? 0 : (block.scale - groups.mean) / step;
    groups.offsets.push_back(quantize_element(format, {}, offset, {}, 0));
    if (!std::isfinite(block.scale)) continue;
    block.scale = double_quantized_scale(groups.offsets.back(), step, groups.mean);
    block.decode = block_decode(spec, tensor, block.scale);
  }
}

ScaleGroups round_scales(const BlockSpec& spec, const TensorScale& tensor, std::vector<BlockScale>& blocks) {
  BITLAW_CHECK(!spec.scale, "double quantization of scales that are not float32");
  ScaleGroups groups{.mean = mean_scale(blocks), .steps = {}, .offsets = {}};
  const auto size = static_cast<std::size_t>(spec.double_quantization->size);
  for (std::size_t i = 0; i < blocks.size(); i += size) {
    round_group(spec, tensor, std::span(blocks).subspan(i, std::min(size, blocks.size() - i)), groups);
  }
  return groups;
}

template <typename T>
float rounded_element(const BlockSpec& spec, const Rounding& rounding, T scaled, const RandomStream& stream,
                      std::uint64_t element) {
  return static_cast<float>(spec.codebook ? quantize_element(*spec.codebook, rounding, scaled, stream, element)
                                          : quantize_element(spec.element, rounding, scaled, stream, element));
}

}  // namespace

BlockScales block_scales(const BlockSpec& spec, KAxis k_axis, ConstMatrixView<float> x, std::optional<float> held_amax,
                         std::span<const float> parameters) {
  BITLAW_CHECK(!spec.scale_rounding.is_stochastic() && spec.scale_rounding.is_valid(), "stochastic scales");
  BlockScales scales{.grid = block_grid(spec, k_axis, x.rows, x.cols), .tensor = {}, .blocks = {}, .groups = {}};
  if (spec.tensor_target) scales.tensor = tensor_scale(spec, held_amax ? *held_amax : largest_in(spec, x));
  const bool is_held = spec.shape == BlockShape::Tensor && held_amax;
  BlockSpec own = spec;
  for (std::int64_t b = 0; b < scales.grid.count(); ++b) {
    if (!parameters.empty())
      own.parameter = static_cast<double>(parameters[static_cast<std::size_t>(b) % parameters.size()]);
    const BlockRegion region = scales.grid.region(b);
    const std::int64_t row_length = k_axis == KAxis::Cols ? region.cols : region.rows;
    const std::vector<float> values = block_values(region, k_axis, x);
    const float a = is_held ? *held_amax : block_statistic(own, values);
    scales.blocks.push_back(scale_of_values(own, scales.tensor, a, values, row_length));
  }
  if (spec.double_quantization) scales.groups = round_scales(spec, scales.tensor, scales.blocks);
  return scales;
}

template <typename T>
T scaled_value(const BlockSpec& spec, const BlockScale& scale, float v) {
  if (std::isnan(scale.decode)) return std::numeric_limits<T>::quiet_NaN();
  if (spec.scaling == ElementScaling::Ratio || spec.scaling == ElementScaling::Reciprocal) {
    return static_cast<T>(v * scale.encode);
  }
  if (scale.decode == 0 && !std::isnan(v)) return static_cast<T>(std::copysign(0.0F, v));
  return static_cast<T>(v) / static_cast<T>(scale.decode);
}
template float scaled_value<float>(const BlockSpec&, const BlockScale&, float);
template double scaled_value<double>(const BlockSpec&, const BlockScale&, float);

float stored_element(const BlockSpec& spec, const Rounding& rounding, const BlockScale& scale, float v,
                     const RandomStream& stream, std::uint64_t element) {
  if (std::isnan(scale.decode)) return std::numeric_limits<float>::quiet_NaN();
  if (spec.scaling == ElementScaling::DivideExact) {
    return rounded_element(spec, rounding, scaled_value<double>(spec, scale, v), stream, element);
  }
  return rounded_element(spec, rounding, scaled_value<float>(spec, scale, v), stream, element);
}

}  // namespace bitlaw
