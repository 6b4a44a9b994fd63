#pragma once

#include <cstdint>

namespace bitlaw {

/// What the codes with an all-ones exponent field mean.
enum class TopCodes : std::uint8_t {
  Ieee,     ///< infinity and NaNs, as in binary16
  NanOnly,  ///< numbers, except the all-ones code (both signs), which is NaN (OCP OFP8 E4M3, UE4M3)
  Finite,   ///< numbers (OCP MX FP4, FP6)
  Fnuz,     ///< numbers; the code of minus zero is the only NaN and there is no minus zero
  P3109,    ///< IEEE P3109 extended: infinity at the top code, one NaN at the code of minus zero (unsigned: top code)
};

/// A binary floating-point format: one row of numbers, everything else is derived. No name: see catalog.h.
struct FormatSpec {
  int exponent_bits = 0;  ///< w, width of the exponent field [bits], 0-11
  int mantissa_bits = 0;  ///< m, width of the trailing significand field [bits], 0-52
  int bias = 0;           ///< value = 2^(field - bias) * 1.significand for field > 0
  TopCodes top = TopCodes::Ieee;
  bool is_signed = true;
  bool has_subnormals = true;
  bool has_zero = true;

  friend constexpr bool operator==(const FormatSpec&, const FormatSpec&) = default;
};

}  // namespace bitlaw
