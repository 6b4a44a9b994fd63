#pragma once

#include <cstdint>

namespace bitlaw {

/// Rounding of v to a neighbour; `lo` <= |v| <= `hi` are the magnitudes of its neighbours in the format, as if its
/// range went on above the largest finite value.
enum class Rounding : std::uint8_t {
  TiesToEven,  ///< nearest; at the midpoint, the even code (IEEE 754-2019 §4.3.1)
  TowardZero,  ///< `lo` (IEEE 754-2019 §4.3.2)
  Stochastic,  ///< `hi` when RNE(2^k f) + R >= 2^k, f = (|v| - lo) / (hi - lo), R uniform in [0, 2^k) (IEEE P3109
               ///< v4.0 StochasticC); k is stochastic_bits() of quantize.h
};

/// What becomes of a rounded magnitude beyond the largest finite value, after rounding as if the range went on.
enum class Overflow : std::uint8_t {
  Saturate,    ///< the largest finite value; infinity saturates too
  ToInfinity,  ///< infinity, or NaN in formats without one; formats with neither saturate
};

}  // namespace bitlaw
