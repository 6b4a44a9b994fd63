#include <algorithm>
#include <cmath>
#include <numeric>
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

/// The largest magnitude, or NaN where one is not finite.
float finite_amax(ConstMatrixView<float> x, std::int64_t least_rows) {
  const auto of_rows = [&](std::int64_t first, std::int64_t last) {
    float amax = 0, sum_of_nothing = 0;  // 0 x v is NaN where v is not finite
    for (std::int64_t i = first; i < last; ++i) {
      const float* row = x.row(i);
      for (std::int64_t j = 0; j < x.cols; ++j) {
        amax = std::max(amax, std::abs(row[j]));
        sum_of_nothing += 0.0F * row[j];
      }
    }
    return amax + sum_of_nothing;
  };
  std::vector<float> of_part(static_cast<std::size_t>(x.rows), 0.0F);  // by its first row
  team_parts(x.rows, least_rows, [&](std::int64_t first, std::int64_t last) {
    of_part[static_cast<std::size_t>(first)] = of_rows(first, last);
  });
  return std::accumulate(of_part.begin(), of_part.end(), 0.0F,
                         [](float a, float b) { return std::isnan(a) || std::isnan(b) ? a + b : std::max(a, b); });
}

}  // namespace

void quantize_blocks_by_team(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                             MatrixView<float> out, const RandomStream& stream) {
  const std::int64_t unit = unit_rows(spec, k_axis);
  if (team_threads() == 1 || unit == 0 || x.size() < 2 * kLeastElements) {
    return quantize_blocks(spec, rounding, k_axis, x, out, stream);
  }
  const std::int64_t least_rows = std::max<std::int64_t>(1, kLeastElements / x.cols);
  std::optional<float> held;
  if (needs_amax(spec)) {
    held = finite_amax(x, least_rows);
    if (std::isnan(*held)) return quantize_blocks(spec, rounding, k_axis, x, out, stream);
  }
  const std::int64_t units = (x.rows + unit - 1) / unit;
  team_parts(units, std::max<std::int64_t>(1, least_rows / unit), [&](std::int64_t first, std::int64_t last) {
    const std::int64_t row = first * unit, rows = std::min(last * unit, x.rows) - row;
    quantize_blocks(spec, rounding, k_axis, x.middle_rows(row, rows), out.middle_rows(row, rows), stream,
                    static_cast<std::uint64_t>(row * x.cols), held);
  });
}

}  // namespace bitlaw
