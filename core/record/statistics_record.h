#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitlaw {

/// What rounding did to one operand of one layer in one step. x before, x^ after; sums over all finite elements.
struct SlotStatistics {
  std::string recipe;  ///< the run's own or a shadow recipe
  std::int64_t step = 0;
  std::string layer;       ///< e.g. "block0.mlp.down"
  std::string slot;        ///< e.g. "fwd.x"
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
  /// Of the run's own weights, fwd.w: sum |q' - q| / sum |w' - w| over the step's update of w, which q rounds. 1 where
  /// they lie anywhere between two values, more where they swing over a midpoint. 0 for other operands.
  double oscillation = 0;

  friend bool operator==(const SlotStatistics&, const SlotStatistics&) = default;
};

/// What rounding did to one product.
struct ProductStatistics {
  std::string recipe;
  std::int64_t step = 0;
  std::string layer;
  std::string product;  ///< "forward", "dgrad" or "wgrad"
  double snr_db = 0;    ///< of the product of quantized operands against that of the operands as they came
  double cosine = 0;
  double norm_ratio = 0;

  friend bool operator==(const ProductStatistics&, const ProductStatistics&) = default;
};

/// How one parameter's gradient of a quantized step compares with that of the same step in float32.
struct GradientStatistics {
  std::string recipe;
  std::int64_t step = 0;
  std::string parameter;
  double cosine = 0;
  double norm_ratio = 0;  ///< quantized / float32
  /// |g| / (s sqrt(d)), s^2 the mean square of the difference over the d elements; below sqrt(3) noise of this size no
  /// longer lets plain descent make progress (arXiv:2505.19115, section 5), if it is free of bias.
  double signal_to_noise = 0;

  friend bool operator==(const GradientStatistics&, const GradientStatistics&) = default;
};

/// All statistics of a run, in the order of steps.
struct RunStatistics {
  std::vector<SlotStatistics> slots;
  std::vector<ProductStatistics> products;
  std::vector<GradientStatistics> gradients;

  bool empty() const { return slots.empty() && products.empty() && gradients.empty(); }
  friend bool operator==(const RunStatistics&, const RunStatistics&) = default;
};

}  // namespace bitlaw
