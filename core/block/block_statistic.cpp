#include "core/block/block_statistic.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "core/base/check.h"

namespace bitlaw {
namespace {

/// NaN above infinity, as integers.
std::uint32_t magnitude_bits(float v) { return std::bit_cast<std::uint32_t>(v) & 0x7FFFFFFFU; }

std::vector<float> finite_values(std::span<const float> values) {
  std::vector<float> finite;
  std::copy_if(values.begin(), values.end(), std::back_inserter(finite), [](float v) { return std::isfinite(v); });
  return finite;
}

double root_mean_square(std::span<const float> values) {
  double sum = 0;
  for (const float v : values) sum += static_cast<double>(v) * static_cast<double>(v);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

float percentile(std::span<const float> values, double p) {
  BITLAW_CHECK(p > 0 && p <= 100, "percentile {}", p);
  std::vector<float> magnitudes(values.size());
  std::transform(values.begin(), values.end(), magnitudes.begin(), [](float v) { return std::abs(v); });
  const double rank = std::ceil(p / 100 * static_cast<double>(values.size()));
  const auto at = magnitudes.begin() + static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(magnitudes.begin(), at, magnitudes.end());
  return *at;
}

/// The finite values of the element format or codebook over its largest magnitude, ascending.
std::vector<double> unit_values(const BlockSpec& spec) {
  std::vector<double> values;
  if (spec.codebook) {
    for (const float v : spec.codebook->ascending()) values.push_back(static_cast<double>(v) / spec.element_max());
    return values;
  }
  BITLAW_CHECK(spec.element.total_bits() <= 16, "{} bits", spec.element.total_bits());
  for (std::uint64_t code = 0; code <= spec.element.max_magnitude_code(); ++code) {
    const double v = spec.element.magnitude_of(code) / spec.element_max();
    values.push_back(v);
    if (spec.element.is_signed && v > 0) values.push_back(-v);
  }
  std::sort(values.begin(), values.end());
  return values;
}

/// The integral of (x - m)^2 phi(x) from -infinity to x.
double squared_error_below(double x, double m) {
  const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
  const double below = std::erfc(-x / std::numbers::sqrt2) / 2;
  return (1 + m * m) * below + (2 * m - x) * density;
}

double mean_squared_error(const std::vector<double>& unit, double clip) {
  double error = 1 + clip * clip * unit.back() * unit.back();  // of the last value, from -infinity to infinity
  for (std::size_t i = 0; i + 1 < unit.size(); ++i) {
    const double middle = clip * (unit[i] + unit[i + 1]) / 2;
    error += squared_error_below(middle, clip * unit[i]) - squared_error_below(middle, clip * unit[i + 1]);
  }
  return error;
}

}  // namespace

float largest_magnitude(std::span<const float> values, NonFinite non_finite) {
  std::uint32_t all = 0, finite = 0;
  bool any_finite = false;
  for (const float v : values) {
    all = std::max(all, magnitude_bits(v));
    if (!std::isfinite(v)) continue;
    finite = std::max(finite, magnitude_bits(v));
    any_finite = true;
  }
  return std::bit_cast<float>(non_finite == NonFinite::Ignore && any_finite ? finite : all);
}

float block_statistic(const BlockSpec& spec, std::span<const float> values) {
  const float amax = largest_magnitude(values, spec.non_finite);
  if (!std::isfinite(amax)) return amax;
  const auto parameter = static_cast<float>(spec.parameter);
  switch (spec.statistic) {
    case BlockStatistic::Rms:
      return static_cast<float>(spec.parameter * root_mean_square(finite_values(values)));
    case BlockStatistic::Percentile:
      return percentile(finite_values(values), spec.parameter);
    case BlockStatistic::ClipRatio:
      return parameter * amax;
    case BlockStatistic::Step:
      return parameter * static_cast<float>(spec.element_max());
    case BlockStatistic::Amax:
      break;
  }
  return amax;
}

double gaussian_clip(const BlockSpec& spec) {
  const std::vector<double> unit = unit_values(spec);
  // The error has several minima where steps grow with the values: find the best one on a grid, then narrow it down.
  constexpr double kRatio = 1.01;
  double best = 0.5;
  double least = std::numeric_limits<double>::infinity();
  for (double clip = 0.5; clip <= 16; clip *= kRatio) {
    const double error = mean_squared_error(unit, clip);
    if (error < least) {
      least = error;
      best = clip;
    }
  }
  double low = best / kRatio, high = best * kRatio;
  while (high - low > 1e-9 * best) {
    const double third = (high - low) / 3;
    const bool falls = mean_squared_error(unit, low + third) > mean_squared_error(unit, high - third);
    (falls ? low : high) = falls ? low + third : high - third;
  }
  return (low + high) / 2;
}

}  // namespace bitlaw
