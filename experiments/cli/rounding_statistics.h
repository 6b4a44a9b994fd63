#pragma once

#include <cstdint>
#include <span>

#include "core/block/block_spec.h"
#include "core/tensor/matrix.h"

namespace bitlaw {

/// What a conversion did to the numbers x, which became q.
struct RoundingStatistics {
  std::int64_t elements = 0;
  std::int64_t nan_in = 0, inf_in = 0;    ///< of x
  std::int64_t nan_out = 0, inf_out = 0;  ///< of q
  std::int64_t nonzero = 0;               ///< finite x that are not zero
  std::int64_t clipped = 0;               ///< finite x below the least finite value of the format or above the largest
  std::int64_t underflowed = 0;           ///< finite x that are not zero where q is
  std::int64_t compared = 0;              ///< finite x with finite q
  // Sums over these. Extended precision where it exists: squares of float64 may leave float64.
  long double signal = 0;    ///< of x^2
  long double noise = 0;     ///< of (x - q)^2
  double max_abs_error = 0;  ///< of |x - q|

  std::int64_t finite() const { return elements - nan_in - inf_in; }
  /// clipped / finite(); 0 without such elements.
  double clip_rate() const;
  /// underflowed / nonzero; 0 without such elements.
  double underflow_rate() const;
  /// 10 log10(signal / noise) [dB]; infinite when nothing changed, minus infinity when only zeros did, NaN when nothing
  /// was compared or only zeros that stayed.
  double snr_db() const;

  /// Adds a part. T: float or double. `least` and `most` are the finite range of the format.
  template <typename T>
  void add(std::span<const T> x, std::span<const T> q, double least, double most);
};

/// Finite elements of x whose magnitude is beyond the largest one of their block, which then saturates:
/// |x * encode| > max (1 + 2^-22), with the block's multiplier of block_scale.h; the rest is the float32 error of the
/// scale. Blocks that are NaN throughout count none.
std::int64_t clipped_in_blocks(const BlockSpec& spec, KAxis k_axis, ConstMatrixView<float> x);

}  // namespace bitlaw
