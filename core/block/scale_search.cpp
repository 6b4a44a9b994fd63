#include "core/block/scale_search.h"

#include <cmath>
#include <vector>

#include "core/base/check.h"
#include "core/block/block_scales.h"
#include "core/format/codes.h"

namespace bitlaw {
namespace {

/// q of an element, rounded to nearest.
float judged(const BlockSpec& spec, const BlockScale& scale, float v) {
  return stored_element(spec, RoundingMode::TiesToEven, scale, v, {}, 0);
}

double sum_of_squares(const BlockSpec& spec, const BlockScale& scale, std::span<const float> values) {
  double sum = 0;
  for (const float v : values) {
    if (!std::isfinite(v)) continue;
    const double error = static_cast<double>(judged(spec, scale, v) * scale.decode) - static_cast<double>(v);
    sum += error * error;
  }
  return sum;
}

/// The values of the scale format around `scale`, the nearest first.
std::vector<float> neighbours(const BlockSpec& spec, float scale) {
  BITLAW_CHECK(spec.scale.has_value(), "a search needs the values of a scale format");
  std::vector<float> found;
  double down = static_cast<double>(scale), up = down;
  for (int i = 0; i < spec.search_window; ++i) {
    const double lower = next_down(*spec.scale, down), higher = next_up(*spec.scale, up);
    if (lower > 0 && lower != down) found.push_back(static_cast<float>(lower));
    if (std::isfinite(higher) && higher != up) found.push_back(static_cast<float>(higher));
    down = std::max(lower, 0.0);
    up = higher;
  }
  return found;
}

BlockScale least_squares(const BlockSpec& spec, const TensorScale& tensor, float scale, std::span<const float> values) {
  BlockScale best = with_multipliers(spec, tensor, scale);
  double least = sum_of_squares(spec, best, values);
  for (const float other : neighbours(spec, scale)) {
    const BlockScale candidate = with_multipliers(spec, tensor, other);
    const double sum = sum_of_squares(spec, candidate, values);
    if (sum < least) {
      least = sum;
      best = candidate;
    }
  }
  return best;
}

float error_of_row(const BlockSpec& spec, const TensorScale& tensor, const BlockScale& scale,
                   std::span<const float> values) {
  float sum = 0;
  for (const float v : values) {
    if (!std::isfinite(v)) continue;
    float value = judged(spec, scale, v) * scale.scale;
    if (spec.tensor_target) value = value * tensor.amax / static_cast<float>(*spec.tensor_target);
    const float error = value - v;
    sum += spec.search == ScaleSearch::FourOverSixMse ? error * error : std::abs(error);
  }
  return sum;
}

float error_of_block(const BlockSpec& spec, const TensorScale& tensor, const BlockScale& scale,
                     std::span<const float> values, std::int64_t row_length) {
  std::vector<float> rows;
  const auto length = static_cast<std::size_t>(row_length);
  for (std::size_t i = 0; i < values.size(); i += length) {
    rows.push_back(error_of_row(spec, tensor, scale, values.subspan(i, length)));
  }
  while (rows.size() > 1) {
    const std::size_t half = (rows.size() + 1) / 2;
    for (std::size_t i = half; i < rows.size(); ++i) rows[i - half] += rows[i];
    rows.resize(half);
  }
  return rows.front();
}

}  // namespace

BlockScale searched_scale(const BlockSpec& spec, const TensorScale& tensor, float unrounded,
                          std::span<const float> values, std::int64_t row_length) {
  if (spec.search == ScaleSearch::Mse) return least_squares(spec, tensor, rounded_scale(spec, unrounded), values);
  const BlockScale six = with_multipliers(spec, tensor, rounded_scale(spec, unrounded));
  const BlockScale four = with_multipliers(spec, tensor, rounded_scale(spec, unrounded * 1.5F));
  const auto error = [&](const BlockScale& scale) { return error_of_block(spec, tensor, scale, values, row_length); };
  return error(four) < error(six) ? four : six;
}

}  // namespace bitlaw
