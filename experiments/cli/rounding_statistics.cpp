#include "experiments/cli/rounding_statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/base/check.h"
#include "core/block/block_scales.h"

namespace bitlaw {
namespace {

/// Three roundings to float32: of the scale, of its inverse, of the product.
constexpr double kScaleError = 0x1p-22;

double rate(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double RoundingStatistics::clip_rate() const { return rate(clipped, finite()); }
double RoundingStatistics::underflow_rate() const { return rate(underflowed, nonzero); }

double RoundingStatistics::snr_db() const {
  if (noise == 0)
    return signal == 0 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  return static_cast<double>(10 * std::log10(signal / noise));
}

template <typename T>
void RoundingStatistics::add(std::span<const T> x, std::span<const T> q, double least, double most) {
  BITLAW_CHECK(x.size() == q.size(), "x [{}] and q [{}]", x.size(), q.size());
  using Sum = std::conditional_t<std::is_same_v<T, double>, long double, double>;
  // Local and without branches: a few cycles per element. What does not count is added as zero.
  Sum part_signal = 0, part_noise = 0;
  double largest = 0;
  std::int64_t nans_in = 0, infs_in = 0, nans_out = 0, infs_out = 0, nonzeros = 0, clips = 0, underflows = 0,
               comparisons = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double v = x[i], r = q[i];
    const bool finite = std::isfinite(v), both = finite && std::isfinite(r);
    nans_in += std::isnan(v);
    infs_in += std::isinf(v);
    nans_out += std::isnan(r);
    infs_out += std::isinf(r);
    nonzeros += finite && v != 0;
    comparisons += both;
    clips += finite && (v < least || v > most);
    underflows += finite && v != 0 && r == 0;
    const double counted = both ? v : 0.0, error = both ? std::abs(v - r) : 0.0;
    part_signal += Sum{counted} * Sum{counted};
    part_noise += Sum{error} * Sum{error};
    largest = std::max(largest, error);
  }
  elements += static_cast<std::int64_t>(x.size());
  nan_in += nans_in;
  inf_in += infs_in;
  nan_out += nans_out;
  inf_out += infs_out;
  nonzero += nonzeros;
  clipped += clips;
  underflowed += underflows;
  compared += comparisons;
  signal += part_signal;
  noise += part_noise;
  max_abs_error = std::max(max_abs_error, largest);
}

template void RoundingStatistics::add<float>(std::span<const float>, std::span<const float>, double, double);
template void RoundingStatistics::add<double>(std::span<const double>, std::span<const double>, double, double);

std::int64_t clipped_in_blocks(const BlockSpec& spec, KAxis k_axis, ConstMatrixView<float> x) {
  const BlockScales scales = block_scales(spec, k_axis, x);
  const double most = spec.element_max() * (1 + kScaleError);
  std::int64_t clipped = 0;
  for (std::int64_t b = 0; b < scales.grid.count(); ++b) {
    const BlockRegion region = scales.grid.region(b);
    const BlockScale& scale = scales.blocks[static_cast<std::size_t>(b)];
    if (std::isnan(scale.decode)) continue;
    for (std::int64_t i = region.row; i < region.row + region.rows; ++i) {
      for (std::int64_t j = region.col; j < region.col + region.cols; ++j) {
        clipped += std::isfinite(x(i, j)) && std::abs(x(i, j) * scale.encode) > most;
      }
    }
  }
  return clipped;
}

}  // namespace bitlaw
