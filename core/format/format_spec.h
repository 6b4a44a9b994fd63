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
  NanOnly,  ///< numbers, except the all-ones code (both signs), which is NaN (OCP OFP8 E4M3, UE4M3; P3109 unsigned
            ///< finite)
  Finite,   ///< numbers (OCP MX FP4, FP6; integers)
  Fnuz,     ///< numbers; the code of minus zero is the only NaN and there is no minus zero (P3109 signed finite)
  P3109,    ///< IEEE P3109 extended: infinity at the top code, one NaN at the code of minus zero (unsigned: NaN at
            ///< the top code, infinity just below it)
};

/// How the codes of negative values are built. Two's complement is for formats without exponent field: integers and
/// fixed point.
enum class SignCoding : std::uint8_t {
  SignMagnitude,           ///< a sign bit before the code of the magnitude
  TwosComplement,          ///< one negative value more than positive ones, no minus zero
  TwosComplementSymmetric  ///< the same, but rounding never gives that one: -max_finite() is the least
};

/// significand 2^exponent, for values that may lie outside double.
struct Dyadic {
  std::uint64_t significand = 0;
  int exponent = 0;
};

/// A binary number format: one row of numbers, everything else is derived. No name: see catalog.h.
///
/// A code is sign, exponent field (w bits), fraction (m bits), from high to low. Its magnitude is
///   field > 0:  2^(field - bias) (1 + fraction / 2^m)
///   field = 0:  2^(1 - bias) fraction / 2^m  (zero and subnormals)
/// With w = 0 all magnitudes are fraction 2^(1 - bias - m): fixed point.
struct FormatSpec {
  int exponent_bits = 0;  ///< w, width of the exponent field [bits], 0-11; IEEE P3109 formats up to 16
  int mantissa_bits = 0;  ///< m, width of the trailing significand field [bits], 0-52
  int bias = 0;           ///< value = 2^(field - bias) * 1.significand for field > 0
  TopCodes top = TopCodes::Ieee;
  bool is_signed = true;
  bool has_subnormals = true;  ///< false: all codes with field 0 are zero
  bool has_zero = true;        ///< false: codes with field 0 are normal numbers (E8M0)
  SignCoding sign_coding = SignCoding::SignMagnitude;

  /// Bits per element, the sign included.
  constexpr int total_bits() const { return (is_signed ? 1 : 0) + exponent_bits + mantissa_bits; }
  /// 2^total_bits(), for formats of at most 63 bits: binary64 has one code more than 64 bits can count.
  constexpr std::uint64_t code_count() const { return std::uint64_t{1} << total_bits(); }
  /// Exponent of the least normal number.
  constexpr int emin() const { return has_zero ? 1 - bias : -bias; }
  /// Exponent of the least positive number.
  constexpr int least_exponent() const { return has_subnormals && has_zero ? emin() - mantissa_bits : emin(); }
  /// Exponent of the largest finite number.
  constexpr int emax() const {
    const Dyadic max = magnitude(max_magnitude_code());
    return max.exponent + static_cast<int>(std::bit_width(max.significand)) - 1;
  }

  // As double; for formats with is_exact_in_double().
  constexpr double max_finite() const { return magnitude_of(max_magnitude_code()); }
  /// The least finite value: the most negative one, or where there is no sign zero or the least positive value.
  constexpr double lowest() const {
    if (!is_signed) return has_zero ? 0.0 : min_positive();
    return sign_coding == SignCoding::TwosComplement ? -pow2(emin()) : -max_finite();
  }
  constexpr double min_normal() const { return pow2(emin()); }
  /// Least positive number: a subnormal where there are any.
  constexpr double min_positive() const { return pow2(least_exponent()); }

  constexpr bool has_infinity() const { return top == TopCodes::Ieee || top == TopCodes::P3109; }
  constexpr bool has_nan() const { return top != TopCodes::Finite && (top != TopCodes::Ieee || mantissa_bits > 0); }
  constexpr bool has_minus_zero() const {
    return is_signed && has_zero && top != TopCodes::Fnuz && top != TopCodes::P3109 && !is_twos_complement();
  }
  constexpr bool is_twos_complement() const { return sign_coding != SignCoding::SignMagnitude; }

  /// The code of max_finite(), which is also the number of positive finite values where subnormals are kept.
  constexpr std::uint64_t max_magnitude_code() const { return magnitude_codes() - 1 - reserved_top_codes(); }
  /// Codes without their sign bit: 2^(w + m).
  constexpr std::uint64_t magnitude_codes() const { return std::uint64_t{1} << (exponent_bits + mantissa_bits); }

  /// Value of a finite code without its sign bit.
  constexpr Dyadic magnitude(std::uint64_t code) const {
    const auto field = static_cast<int>(code >> mantissa_bits);
    const std::uint64_t one = std::uint64_t{1} << mantissa_bits;
    const std::uint64_t fraction = code & (one - 1);
    if (field > 0 || !has_zero) return {one + fraction, field - bias - mantissa_bits};
    return {has_subnormals ? fraction : 0, emin() - mantissa_bits};
  }
  /// The same as double, for formats with is_exact_in_double().
  constexpr double magnitude_of(std::uint64_t code) const {
    const Dyadic value = magnitude(code);
    if (value.significand == 0) return 0;
    // The leading bit first: 2^exponent alone may be too small for a double.
    const int top_bit = static_cast<int>(std::bit_width(value.significand)) - 1;
    return static_cast<double>(value.significand) * pow2(-top_bit) * pow2(value.exponent + top_bit);
  }

  /// Whether the fields are in range and agree with each other, and at least two values exist.
  constexpr bool is_valid() const {
    if (exponent_bits < 0 || exponent_bits > 16 || mantissa_bits < 0 || mantissa_bits > 52) return false;
    if (exponent_bits + mantissa_bits > 63 || bias < -(1 << 16) || bias > (1 << 16)) return false;
    if (magnitude_codes() < reserved_top_codes() + 2 || (exponent_bits == 0 && !has_subnormals)) return false;
    const bool only_zeros = has_zero && !has_subnormals && max_magnitude_code() < std::uint64_t{1} << mantissa_bits;
    if (only_zeros) return false;
    if (!has_zero && (has_subnormals || !(top == TopCodes::NanOnly || top == TopCodes::Finite))) return false;
    if (!is_signed && top == TopCodes::Fnuz) return false;  // no code of minus zero to be the NaN
    return !is_twos_complement() ||
           (exponent_bits == 0 && is_signed && top == TopCodes::Finite && has_zero && has_subnormals);
  }
  /// Whether every finite value is exact in double: what rounding needs.
  constexpr bool is_exact_in_double() const {
    return emin() - mantissa_bits >= -1074 && emax() <= 1023 && emin() <= 1023;
  }

  friend constexpr bool operator==(const FormatSpec&, const FormatSpec&) = default;

 private:
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
