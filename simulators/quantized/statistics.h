#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "simulators/quantized/observer.h"

namespace bitlaw {

/// What rounding did to one operand of one layer in one step. x before, x^ after; sums over all finite elements.
struct SlotStatistics {
  std::int64_t step = 0;
  std::int64_t layer = 0;
  std::int64_t slot = 0;   ///< as Slot
  double snr_db = 0;       ///< 10 log10(sum x^2 / sum (x^ - x)^2); infinite where nothing changed
  double cosine = 0;       ///< x . x^ / (|x| |x^|)
  double norm_ratio = 0;   ///< |x^| / |x|
  double bias = 0;         ///< mean (x^ - x) / root mean square of x
  double shrinkage = 0;    ///< 1 - x . x^ / |x|^2: what a projection on x loses; 0 without bias along x
  double clipped = 0;      ///< fraction of elements whose magnitude is beyond their block's largest value
  double underflow = 0;    ///< fraction of elements other than 0 that became 0
  double amax = 0;         ///< largest magnitude
  double rms = 0;          ///< root mean square
  double kurtosis = 0;     ///< mean x^4 / (mean x^2)^2; 3 for normal numbers
  double crest = 0;        ///< mean over blocks of largest magnitude / root mean square
  double scale_low = 0;    ///< least log2 of a block's decoding factor
  double scale_mean = 0;   ///< mean of it
  double scale_high = 0;   ///< largest
  double zero_blocks = 0;  ///< fraction of blocks that hold zeros only
  double non_finite = 0;   ///< fraction of elements that are infinite or NaN before or after

  friend bool operator==(const SlotStatistics&, const SlotStatistics&) = default;
};

/// What rounding did to one product.
struct ProductStatistics {
  std::int64_t step = 0;
  std::int64_t layer = 0;
  std::int64_t product = 0;  ///< as Product
  double snr_db = 0;         ///< of the product of quantized operands against that of the operands as they came
  double cosine = 0;
  double norm_ratio = 0;

  friend bool operator==(const ProductStatistics&, const ProductStatistics&) = default;
};

/// How one parameter's gradient of a quantized step compares with that of the same step in float32.
struct GradientStatistics {
  std::int64_t step = 0;
  std::int64_t parameter = 0;  ///< index in the model's layout
  double cosine = 0;
  double norm_ratio = 0;  ///< quantized / float32
  /// |g| / (s sqrt(d)), s^2 the mean square of the difference over the d elements; below sqrt(3) noise of this size no
  /// longer lets plain descent make progress (arXiv:2505.19115, section 5), if it is free of bias.
  double signal_to_noise = 0;

  friend bool operator==(const GradientStatistics&, const GradientStatistics&) = default;
};

SlotStatistics slot_statistics(const BlockSpec& spec, KAxis k_axis, ConstMatrixView<float> x,
                               ConstMatrixView<float> quantized);
ProductStatistics product_statistics(ConstMatrixView<float> quantized, ConstMatrixView<float> plain);
GradientStatistics gradient_statistics(std::span<const float> quantized, std::span<const float> plain);

/// Collects the statistics of a step.
class StatisticsObserver : public LinearObserver {
 public:
  explicit StatisticsObserver(std::int64_t step) : step_(step) {}

  void operand(std::uint16_t layer, Slot slot, const SlotSpec& spec, KAxis k_axis, ConstMatrixView<float> x,
               ConstMatrixView<float> quantized) override;
  void product(std::uint16_t layer, Product product, ConstMatrixView<float> quantized,
               ConstMatrixView<float> plain) override;

  std::vector<SlotStatistics> slots;
  std::vector<ProductStatistics> products;

 private:
  std::int64_t step_;
};

}  // namespace bitlaw
