#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace bitlaw {

/// 2^e, exact, for -1074 <= e <= 1023.
constexpr double pow2(int e) {
  return e >= -1022 ? std::bit_cast<double>(static_cast<std::uint64_t>(e + 1023) << 52)
                    : std::bit_cast<double>(std::uint64_t{1} << (e + 1074));
}

/// What the codes with an all-ones exponent field mean.
enum class TopCodes : std::uint8_t {
  Ieee,     ///< infinity and NaNs, as in binary16
  NanOnly,  ///< numbers, except the all-ones code (both signs), which is NaN (OCP OFP8 E4M3, UE4M3)
  Finite,   ///< numbers (OCP MX FP4, FP6)
  Fnuz,     ///< numbers; the code of minus zero is the only NaN and there is no minus zero
  P3109,    ///< IEEE P3109 extended: infinity at the top code, one NaN at the code of minus zero (unsigned: NaN at
            ///< the top code, infinity just below it)
};

/// A binary floating-point format: one row of numbers, everything else is derived. No name: see catalog.h.
///
/// A code is sign, exponent field (w bits), fraction (m bits), from high to low. Its magnitude is
///   field > 0:  2^(field - bias) (1 + fraction / 2^m)
///   field = 0:  2^(1 - bias) fraction / 2^m  (zero and subnormals)
/// Every finite value is exact in double: see is_valid().
struct FormatSpec {
  int exponent_bits = 0;  ///< w, width of the exponent field [bits], 0-11
  int mantissa_bits = 0;  ///< m, width of the trailing significand field [bits], 0-52
  int bias = 0;           ///< value = 2^(field - bias) * 1.significand for field > 0
  TopCodes top = TopCodes::Ieee;
  bool is_signed = true;
  bool has_subnormals = true;  ///< false: all codes with field 0 are zero
  bool has_zero = true;        ///< false: codes with field 0 are normal numbers (E8M0)

  /// Bits per element, the sign included.
  constexpr int total_bits() const { return (is_signed ? 1 : 0) + exponent_bits + mantissa_bits; }
  /// 2^total_bits(), for formats of at most 63 bits: binary64 has one code more than 64 bits can count.
  constexpr std::uint64_t code_count() const { return std::uint64_t{1} << total_bits(); }
  /// Exponent of the least normal number.
  constexpr int emin() const { return has_zero ? 1 - bias : -bias; }
  /// Exponent of the largest finite number.
  constexpr int emax() const { return exponent_of(max_magnitude_code()); }
  constexpr double max_finite() const { return magnitude_of(max_magnitude_code()); }
  constexpr double min_normal() const { return pow2(emin()); }
  /// Least positive number: a subnormal where there are any.
  constexpr double min_positive() const {
    return has_subnormals && has_zero ? pow2(emin() - mantissa_bits) : min_normal();
  }

  constexpr bool has_infinity() const { return top == TopCodes::Ieee || top == TopCodes::P3109; }
  constexpr bool has_nan() const { return top != TopCodes::Finite && (top != TopCodes::Ieee || mantissa_bits > 0); }
  constexpr bool has_minus_zero() const {
    return is_signed && has_zero && top != TopCodes::Fnuz && top != TopCodes::P3109;
  }

  /// The code of max_finite(), which is also the number of positive finite values where subnormals are kept.
  constexpr std::uint64_t max_magnitude_code() const { return magnitude_codes() - 1 - reserved_top_codes(); }
  /// Codes without their sign bit: 2^(w + m).
  constexpr std::uint64_t magnitude_codes() const { return std::uint64_t{1} << (exponent_bits + mantissa_bits); }

  /// Value of a finite code without its sign bit.
  constexpr double magnitude_of(std::uint64_t code) const {
    const auto field = static_cast<int>(code >> mantissa_bits);
    const auto fraction = static_cast<double>(code & fraction_mask());
    const int least = emin() - mantissa_bits;
    if (field > 0 || !has_zero) {
      const int exponent = field - bias;
      return pow2(exponent) * (1.0 + fraction * pow2(-mantissa_bits));
    }
    return has_subnormals ? fraction * pow2(least) : 0.0;
  }

  /// Whether widths are in range, at least two values exist and every one is exact in double.
  constexpr bool is_valid() const {
    if (exponent_bits < 0 || exponent_bits > 11 || mantissa_bits < 0 || mantissa_bits > 52) return false;
    if (bias < -1100 || bias > 1100) return false;
    if (magnitude_codes() < reserved_top_codes() + 2) return false;
    if (!has_zero && (has_subnormals || !(top == TopCodes::NanOnly || top == TopCodes::Finite))) return false;
    if (!is_signed && top == TopCodes::Fnuz) return false;  // no code of minus zero to be the NaN
    return emin() - mantissa_bits >= -1074 && emax() <= 1023 && emin() <= 1023;
  }

  friend constexpr bool operator==(const FormatSpec&, const FormatSpec&) = default;

 private:
  constexpr std::uint64_t fraction_mask() const { return (std::uint64_t{1} << mantissa_bits) - 1; }
  constexpr int exponent_of(std::uint64_t code) const {
    const auto field = static_cast<int>(code >> mantissa_bits);
    return field > 0 || !has_zero ? field - bias
                                  : 1 - bias + (static_cast<int>(std::bit_width(code)) - 1 - mantissa_bits);
  }
  constexpr std::uint64_t reserved_top_codes() const {
    switch (top) {
      case TopCodes::Ieee:
        return std::uint64_t{1} << mantissa_bits;
      case TopCodes::NanOnly:
        return 1;
      case TopCodes::P3109:
        return is_signed ? 1 : 2;
      case TopCodes::Finite:
      case TopCodes::Fnuz:
        break;
    }
    return 0;
  }
};

}  // namespace bitlaw
