#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/base/team.h"
#include "core/block/quantize_blocks.h"

namespace bitlaw {
namespace {

constexpr std::int64_t kLeastElements = 16384;  // of a part: below, waking a thread takes longer

bool needs_amax(const BlockSpec& spec) { return spec.tensor_target || spec.shape == BlockShape::Tensor; }

/// Rows that a part may be a multiple of; 0: only the whole array.
std::int64_t unit_rows(const BlockSpec& spec, KAxis k_axis) {
  if (spec.double_quantization) return 0;
  if (spec.shape == BlockShape::Tensor && spec.statistic != BlockStatistic::Amax) return 0;
  switch (spec.shape) {
    case BlockShape::AlongK:
      return k_axis == KAxis::Cols ? 1 : spec.size;
    case BlockShape::Square:
      return spec.size;
    case BlockShape::Channel:
      return k_axis == KAxis::Cols ? 1 : 0;
    case BlockShape::AcrossK:
      return k_axis == KAxis::Cols ? 0 : 1;
    case BlockShape::Tensor:
      return 1;
  }
  return 0;
}

std::int64_t least_rows(ConstMatrixView<float> x) { return std::max<std::int64_t>(1, kLeastElements / x.cols); }

constexpr std::uint32_t kMagnitudeBits = 0x7fffffff, kInfinityBits = 0x7f800000;  // of a float32

/// Magnitudes and their bits have the same order, and bits are compared in vectors; NaN is above all.
std::uint32_t most_bits(const float* x, std::int64_t size) {
  std::uint32_t most = 0;
  for (std::int64_t i = 0; i < size; ++i) most = std::max(most, std::bit_cast<std::uint32_t>(x[i]) & kMagnitudeBits);
  return most;
}

}  // namespace

float finite_amax(ConstMatrixView<float> x) {
  std::vector<std::uint32_t> of_row(static_cast<std::size_t>(x.rows));
  team_parts(x.rows, least_rows(x), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) of_row[static_cast<std::size_t>(i)] = most_bits(x.row(i), x.cols);
  });
  const std::uint32_t most = of_row.empty() ? 0 : *std::max_element(of_row.begin(), of_row.end());
  return most >= kInfinityBits ? std::numeric_limits<float>::quiet_NaN() : std::bit_cast<float>(most);
}

void quantize_blocks_by_team(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                             MatrixView<float> out, const RandomStream& stream, std::optional<float> held_amax) {
  const std::int64_t unit = unit_rows(spec, k_axis);
  if (team_threads() == 1 || unit == 0 || x.size() < 2 * kLeastElements) {
    return quantize_blocks(spec, rounding, k_axis, x, out, stream, 0, held_amax);
  }
  if (needs_amax(spec) && !held_amax) {
    held_amax = finite_amax(x);
    if (std::isnan(*held_amax)) return quantize_blocks(spec, rounding, k_axis, x, out, stream);
  }
  const std::int64_t units = (x.rows + unit - 1) / unit;
  team_parts(units, std::max<std::int64_t>(1, least_rows(x) / unit), [&](std::int64_t first, std::int64_t last) {
    const std::int64_t row = first * unit, rows = std::min(last * unit, x.rows) - row;
    quantize_blocks(spec, rounding, k_axis, x.middle_rows(row, rows), out.middle_rows(row, rows), stream,
                    static_cast<std::uint64_t>(row * x.cols), held_amax);
  });
}

}  // namespace bitlaw
