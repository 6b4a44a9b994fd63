#include "simulators/quantized/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/check.h"
#include "core/block/block_scales.h"

namespace bitlaw {
namespace {

/// Sums over pairs of a value before (x) and after (q).
struct PairSums {
  double xx = 0, qq = 0, xq = 0, error = 0;

  void add(double x, double q) {
    xx += x * x;
    qq += q * q;
    xq += x * q;
    error += (q - x) * (q - x);
  }
  double snr_db() const { return error > 0 ? 10 * std::log10(xx / error) : std::numeric_limits<double>::infinity(); }
  double cosine() const { return xx > 0 && qq > 0 ? xq / std::sqrt(xx * qq) : 0; }
  double norm_ratio() const { return xx > 0 ? std::sqrt(qq / xx) : 0; }
};

/// Largest magnitude and sum of squares of the finite elements of a region.
struct BlockSize {
  double amax = 0, sum = 0;
};

BlockSize size_of(ConstMatrixView<float> x, const BlockRegion& region) {
  BlockSize size;
  for (std::int64_t i = region.row; i < region.row + region.rows; ++i) {
    for (std::int64_t j = region.col; j < region.col + region.cols; ++j) {
      const double v = x(i, j);
      if (!std::isfinite(v)) continue;
      size.amax = std::max(size.amax, std::abs(v));
      size.sum += v * v;
    }
  }
  return size;
}

/// Fills what concerns blocks and their scales.
void add_block_statistics(const BlockSpec& spec, KAxis k_axis, ConstMatrixView<float> x, const GivenScales& given,
                          SlotStatistics& s) {
  const BlockScales scales = block_scales(spec, k_axis, x, given.held_amax, given.parameters);
  const double largest = spec.element_max();
  std::int64_t clipped = 0, zero_blocks = 0, scaled = 0;
  double crest = 0, total = 0;
  s.scale_low = std::numeric_limits<double>::infinity();
  s.scale_high = -s.scale_low;
  for (std::int64_t block = 0; block < scales.grid.count(); ++block) {
    const BlockRegion region = scales.grid.region(block);
    const BlockSize size = size_of(x, region);
    if (size.amax == 0) {
      ++zero_blocks;
      continue;
    }
    crest += size.amax / std::sqrt(size.sum / static_cast<double>(region.rows * region.cols));
    const double decode = scales.blocks[static_cast<std::size_t>(block)].decode;
    if (!(decode > 0)) continue;
    const double exponent = std::log2(decode);
    s.scale_low = std::min(s.scale_low, exponent);
    s.scale_high = std::max(s.scale_high, exponent);
    total += exponent;
    ++scaled;
    const double bound = decode * largest * (1 + 0x1p-20);  // roundings of a float32 scale are no clipping
    if (size.amax <= bound) continue;
    for (std::int64_t i = region.row; i < region.row + region.rows; ++i) {
      clipped += std::count_if(x.row(i) + region.col, x.row(i) + region.col + region.cols,
                               [bound](float v) { return std::abs(static_cast<double>(v)) > bound; });
    }
  }
  const auto blocks = static_cast<double>(scales.grid.count());
  s.clipped = static_cast<double>(clipped) / static_cast<double>(x.size());
  s.zero_blocks = static_cast<double>(zero_blocks) / blocks;
  s.crest = blocks > static_cast<double>(zero_blocks) ? crest / (blocks - static_cast<double>(zero_blocks)) : 0;
  s.scale_mean = scaled > 0 ? total / static_cast<double>(scaled) : 0;
  if (scaled == 0) s.scale_low = s.scale_high = 0;
}

}  // namespace

SlotStatistics slot_statistics(const BlockSpec& spec, KAxis k_axis, ConstMatrixView<float> x,
                               ConstMatrixView<float> quantized, const GivenScales& given) {
  SlotStatistics s;
  PairSums sums;
  double fourth = 0, difference = 0;
  std::int64_t finite = 0, lost = 0;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j) {
      const double before = x(i, j), after = quantized(i, j);
      if (!std::isfinite(before) || !std::isfinite(after)) continue;
      ++finite;
      sums.add(before, after);
      fourth += before * before * before * before;
      difference += after - before;
      s.amax = std::max(s.amax, std::abs(before));
      if (before != 0 && after == 0) ++lost;
    }
  }
  const auto count = static_cast<double>(x.size()), n = static_cast<double>(std::max<std::int64_t>(finite, 1));
  s.snr_db = sums.snr_db();
  s.cosine = sums.cosine();
  s.norm_ratio = sums.norm_ratio();
  s.rms = std::sqrt(sums.xx / n);
  s.bias = s.rms > 0 ? difference / n / s.rms : 0;
  s.shrinkage = sums.xx > 0 ? 1 - sums.xq / sums.xx : 0;
  s.kurtosis = sums.xx > 0 ? fourth / n / (sums.xx / n * (sums.xx / n)) : 0;
  s.underflow = static_cast<double>(lost) / count;
  s.non_finite = static_cast<double>(x.size() - finite) / count;
  add_block_statistics(spec, k_axis, x, given, s);
  return s;
}

ProductStatistics product_statistics(ConstMatrixView<float> quantized, ConstMatrixView<float> plain) {
  PairSums sums;
  for (std::int64_t i = 0; i < plain.rows; ++i) {
    for (std::int64_t j = 0; j < plain.cols; ++j) sums.add(plain(i, j), quantized(i, j));
  }
  ProductStatistics s;
  s.snr_db = sums.snr_db();
  s.cosine = sums.cosine();
  s.norm_ratio = sums.norm_ratio();
  return s;
}

GradientStatistics gradient_statistics(std::span<const float> quantized, std::span<const float> plain) {
  BITLAW_CHECK(quantized.size() == plain.size(), "gradients of {} and {}", quantized.size(), plain.size());
  PairSums sums;
  for (std::size_t i = 0; i < plain.size(); ++i) sums.add(plain[i], quantized[i]);
  GradientStatistics s;
  s.cosine = sums.cosine();
  s.norm_ratio = sums.norm_ratio();
  s.signal_to_noise = sums.error > 0 ? std::sqrt(sums.xx / sums.error) : std::numeric_limits<double>::infinity();
  return s;
}

void StatisticsObserver::operand(std::uint16_t layer, Slot slot, const SlotSpec& spec, KAxis k_axis,
                                 ConstMatrixView<float> x, ConstMatrixView<float> quantized, const GivenScales& given) {
  SlotStatistics s = slot_statistics(*spec.block, k_axis, x, quantized, given);
  s.recipe = recipe_;
  s.step = step_;
  s.layer = layers_[layer].name;
  s.slot = kSlotNames[static_cast<std::size_t>(slot)];
  statistics_.slots.push_back(std::move(s));
}

void StatisticsObserver::product(std::uint16_t layer, Product product, ConstMatrixView<float> quantized,
                                 ConstMatrixView<float> plain) {
  ProductStatistics s = product_statistics(quantized, plain);
  s.recipe = recipe_;
  s.step = step_;
  s.layer = layers_[layer].name;
  s.product = kProductNames[static_cast<std::size_t>(product)];
  statistics_.products.push_back(std::move(s));
}

}  // namespace bitlaw
