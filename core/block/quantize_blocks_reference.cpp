#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/base/check.h"
#include "core/block/block_scale.h"
#include "core/block/quantize_blocks.h"
#include "core/format/quantize.h"

namespace bitlaw {
namespace {

/// Rows and columns of a matrix that share one scale.
struct Region {
  std::int64_t row, col, rows, cols;
};

/// Largest magnitude; a NaN counts as larger than infinity.
float region_amax(const Region& region, ConstMatrixView<float> x) {
  std::uint32_t amax = 0;
  for (std::int64_t i = region.row; i < region.row + region.rows; ++i) {
    for (std::int64_t j = region.col; j < region.col + region.cols; ++j) {
      amax = std::max(amax, std::bit_cast<std::uint32_t>(x(i, j)) & 0x7FFFFFFFU);
    }
  }
  return std::bit_cast<float>(amax);
}

template <typename Visit>
void for_each_region(const BlockSpec& spec, KAxis k_axis, std::int64_t rows, std::int64_t cols, Visit visit) {
  if (rows == 0 || cols == 0) return;
  const bool along_cols = k_axis == KAxis::Cols;
  const std::int64_t k = spec.shape == BlockShape::AlongK ? spec.size : along_cols ? cols : rows;
  const std::int64_t height = spec.shape == BlockShape::Tensor ? rows : along_cols ? 1 : k;
  const std::int64_t width = spec.shape == BlockShape::Tensor ? cols : along_cols ? k : 1;
  for (std::int64_t i = 0; i < rows; i += height) {
    for (std::int64_t j = 0; j < cols; j += width) {
      visit(Region{i, j, std::min(height, rows - i), std::min(width, cols - j)});
    }
  }
}

float quantize_scaled(const BlockSpec& spec, const Rounding& rounding, const BlockScale& scale, float v,
                      const RandomStream& stream, std::uint64_t element) {
  if (std::isnan(scale.decode)) return std::numeric_limits<float>::quiet_NaN();
  const float scaled = v * scale.encode;
  const float rounded = spec.codebook ? quantize_element(*spec.codebook, rounding, scaled, stream, element)
                                      : quantize_element(spec.element, rounding, scaled, stream, element);
  return rounded * scale.decode;
}

}  // namespace

void quantize_blocks_reference(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                               MatrixView<float> out, const RandomStream& stream) {
  BITLAW_CHECK(x.rows == out.rows && x.cols == out.cols, "x [{}, {}] into out [{}, {}]", x.rows, x.cols, out.rows,
               out.cols);
  BITLAW_CHECK(spec.shape != BlockShape::AlongK || spec.size > 0, "blocks of {} elements", spec.size);
  const float whole = spec.tensor_target ? region_amax({0, 0, x.rows, x.cols}, x) : 0.0F;
  const float encode = tensor_encode(spec, whole);
  for_each_region(spec, k_axis, x.rows, x.cols, [&](const Region& region) {
    const BlockScale scale = block_scale(spec, region_amax(region, x), encode);
    for (std::int64_t i = region.row; i < region.row + region.rows; ++i) {
      for (std::int64_t j = region.col; j < region.col + region.cols; ++j) {
        const auto element = static_cast<std::uint64_t>(i * x.cols + j);
        out(i, j) = quantize_scaled(spec, rounding, scale, x(i, j), stream, element);
      }
    }
  });
}

}  // namespace bitlaw
