#pragma once

#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/format/format_spec.h"
#include "core/format/quantize.h"
#include "core/format/rounding.h"

/// Rounding, saturation and encoding once more, in rational arithmetic and from the texts alone: IEEE P3109 interim
/// report v4.0 §4.7.4 to §4.7.6, IEEE 754-2019 §7.4, and what core/format/rounding.h says of formats that neither
/// document has. Nothing here calls the code under test but for the random words, whose numbering quantize.h defines.
namespace bitlaw::exact {

using Integer = boost::multiprecision::cpp_int;
using Rational = boost::multiprecision::cpp_rational;

inline Rational power_of_two(int e) {
  const Integer power = Integer(1) << std::abs(e);
  return e >= 0 ? Rational(power) : Rational(Integer(1), power);
}

inline Rational rational(double v) {
  int exponent = 0;
  const double fraction = std::frexp(v, &exponent);
  return Rational(Integer(static_cast<std::int64_t>(std::ldexp(fraction, 53)))) * power_of_two(exponent - 53);
}

/// Exact, for a number that is a double.
inline double to_double(const Rational& v) {
  return std::ldexp(numerator(v).convert_to<double>(), -static_cast<int>(msb(denominator(v))));
}

/// The numbers of a format that the texts name.
struct Format {
  FormatSpec spec;
  int precision;  ///< P
  int bias;       ///< B
  int emin;       ///< least exponent E of a number with significand 1 or more
  std::uint64_t max_code;
  Rational max, min;  ///< M_hi, M_lo

  explicit Format(const FormatSpec& s)
      : spec(s), precision(s.mantissa_bits + 1), bias(s.bias), emin(s.has_zero ? 1 - s.bias : -s.bias) {
    const std::uint64_t codes = std::uint64_t{1} << (s.exponent_bits + s.mantissa_bits);
    const std::uint64_t binade = std::uint64_t{1} << s.mantissa_bits;
    max_code = codes - 1;
    if (s.top == TopCodes::Ieee) max_code = codes - binade - 1;
    if (s.top == TopCodes::NanOnly) max_code = codes - 2;
    if (s.top == TopCodes::P3109) max_code = codes - (s.is_signed ? 2 : 3);
    max = magnitude(max_code);
    min = -max;
    if (!s.is_signed) min = s.has_zero ? Rational(0) : magnitude(0);
    if (s.sign_coding == SignCoding::TwosComplement) min = -power_of_two(1 - bias);
  }

  /// P3109 §4.7.2, for codes of positive numbers.
  Rational magnitude(std::uint64_t code) const {
    const std::uint64_t trailing = code % (std::uint64_t{1} << (precision - 1));
    const auto field = static_cast<int>(code >> (precision - 1));
    if (field == 0 && spec.has_zero) {
      return spec.has_subnormals ? Rational(trailing) * power_of_two(1 - precision + 1 - bias) : Rational(0);
    }
    return (1 + Rational(trailing) * power_of_two(1 - precision)) * power_of_two(field - bias);
  }

  bool has_nan() const {
    return spec.top != TopCodes::Finite && !(spec.top == TopCodes::Ieee && spec.mantissa_bits == 0);
  }
  bool has_infinity() const { return spec.top == TopCodes::Ieee || spec.top == TopCodes::P3109; }
  bool has_minus_zero() const {
    const bool ieee_like = spec.top == TopCodes::Ieee || spec.top == TopCodes::NanOnly || spec.top == TopCodes::Finite;
    return spec.is_signed && spec.has_zero && ieee_like && spec.sign_coding == SignCoding::SignMagnitude;
  }
};

/// Where a finite number lies: |X| = (whole + nu) 2^q, in the words of §4.7.4.
struct Place {
  bool negative;
  Integer whole;
  Rational nu;
  int q;
  bool code_is_even;
  bool is_binade;       ///< P = 1 and whole > 0: the neighbours are powers of two
  bool past_root;       ///< (whole + nu)^2 >= 2
  double lo, hi;        ///< the two candidates; infinity beyond double
  bool lo_out, hi_out;  ///< whether they are beyond M_hi, or M_lo where negative
};

inline Place locate(const Format& f, double x) {
  Place at{};
  at.negative = std::signbit(x);
  if (!std::isfinite(x)) return at;
  const Rational magnitude = rational(std::abs(x));
  const int exponent = x == 0 ? f.emin : std::max(std::ilogb(x), f.emin);
  const bool below_normal = magnitude < power_of_two(f.emin);
  at.q = exponent - f.precision + 1;
  if (below_normal && !f.spec.has_subnormals) at.q = f.emin;  // the candidates are 0 and the least normal number
  const Rational significand = magnitude * power_of_two(-at.q);
  at.whole = numerator(significand) / denominator(significand);
  at.nu = significand - Rational(at.whole);
  if (!f.spec.has_zero && below_normal) {  // the least number, whatever the mode
    at.whole = 1;
    at.nu = 0;
    at.q = f.emin;
  }
  at.is_binade = f.precision == 1 && at.whole != 0;
  at.code_is_even = f.precision > 1 ? at.whole % 2 == 0 : at.whole == 0 || (at.q + f.bias) % 2 == 0;
  at.past_root = significand * significand >= 2;
  const Rational lo = Rational(at.whole) * power_of_two(at.q);
  const Rational hi = Rational(at.whole + 1) * power_of_two(at.q);
  at.lo = std::ldexp(at.whole.convert_to<double>(), at.q);
  at.hi = std::ldexp(Integer(at.whole + 1).convert_to<double>(), at.q);
  at.lo_out = at.negative ? -lo < f.min : lo > f.max;
  at.hi_out = at.negative ? -hi < f.min : hi > f.max;
  return at;
}

/// floor(nu 2^n).
inline Integer scaled_floor(const Rational& nu, int n) { return (numerator(nu) << n) / denominator(nu); }

/// RNITE(nu 2^n).
inline Integer scaled_nearest(const Rational& nu, int n) {
  const Integer twice = scaled_floor(nu, n + 1);
  const Integer whole = twice / 2;
  if (twice % 2 == 0) return whole;
  const bool tie = nu * power_of_two(n + 1) == Rational(twice);
  return tie && whole % 2 == 0 ? whole : Integer(whole + 1);
}

/// nu + U >= 1, with as many words of U as nu has digits.
inline bool exact_sum_reaches_one(const Rational& nu, const RandomWords& words) {
  const int digits = static_cast<int>(msb(denominator(nu)));
  const int count = digits / 32 + 1;
  Integer u = 0;
  for (int j = 0; j < count; ++j) u = (u << 32) + words(j);
  return scaled_floor(nu, 32 * count) + u >= Integer(1) << (32 * count);
}

/// RoundAway(mu) of §4.7.4; TiesTowardZero of IEEE 754-2019 §9.5; PowerTies and StochasticExact of rounding.h.
inline bool round_away(const Place& at, const Rounding& rounding, const RandomWords& words) {
  const Rational half(1, 2);
  const int n = rounding.bits;
  const Integer one = Integer(1) << n;
  switch (rounding.mode) {
    case RoundingMode::TowardZero:
      return false;
    case RoundingMode::TowardPositive:
      return at.nu > 0 && !at.negative;
    case RoundingMode::TowardNegative:
      return at.nu > 0 && at.negative;
    case RoundingMode::TiesToAway:
      return at.nu >= half;
    case RoundingMode::TiesTowardZero:
      return at.nu > half;
    case RoundingMode::TiesToEven:
      if (at.is_binade && rounding.power_ties == PowerTies::Larger) return at.nu >= half;
      if (at.is_binade && rounding.power_ties == PowerTies::Logarithmic) return at.past_root;
      return at.nu > half || (at.nu == half && !at.code_is_even);
    case RoundingMode::ToOdd:
      return at.nu > 0 && at.code_is_even;
    case RoundingMode::StochasticA:
      return scaled_floor(at.nu, n) + words(0) >= one;
    case RoundingMode::StochasticB:
      return scaled_floor(at.nu, n + 1) + (2 * Integer(words(0)) + 1) >= 2 * one;
    case RoundingMode::StochasticC:
      return scaled_nearest(at.nu, n) + words(0) >= one;
    case RoundingMode::StochasticExact:
      return exact_sum_reaches_one(at.nu, words);
  }
  return false;
}

/// §4.7.5 for a finite or infinite number that is beyond M_hi or M_lo; Saturate is SatFinite, Propagate SatPropagate,
/// ByDirection SatNone with NaN where a format has only that.
inline double out_of_range(const Format& f, const Conversion& conversion, bool negative, bool was_infinite) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const double limit = to_double(negative ? f.min : f.max);
  const Overflow overflow = conversion.overflow;
  const RoundingMode mode = conversion.rounding.mode;
  const bool below_unsigned = negative && !f.spec.is_signed;
  if (overflow == Overflow::Saturate) return limit;
  if (overflow == Overflow::Propagate && !(was_infinite && f.has_infinity() && !below_unsigned)) return limit;
  if (overflow == Overflow::ByDirection && !was_infinite) {
    if (mode == RoundingMode::TowardZero) return limit;
    if (mode == (negative ? RoundingMode::TowardPositive : RoundingMode::TowardNegative)) return limit;
    if (mode == RoundingMode::ToOdd && !below_unsigned && f.max_code % 2 == 1) return limit;
  }
  if (below_unsigned) return f.has_nan() ? kNan : limit;
  if (f.has_infinity()) return negative ? -kInfinity : kInfinity;
  return f.has_nan() ? kNan : limit;
}

/// The value that x becomes, where round_away said whether it goes to the upper candidate. Any NaN stands for all.
inline double project(const Format& f, const Conversion& conversion, double x, const Place& at, bool away) {
  if (std::isnan(x)) {
    if (conversion.nan == NanPolicy::Propagate) return x;
    return conversion.nan == NanPolicy::ToZero && f.spec.has_zero ? 0.0 : to_double(f.max);
  }
  if (x == 0 && !f.spec.has_zero) {
    const bool saturates = conversion.overflow == Overflow::Saturate || conversion.overflow == Overflow::Propagate;
    return saturates || !f.has_nan() ? to_double(f.magnitude(0)) : std::numeric_limits<double>::quiet_NaN();
  }
  if (std::isinf(x)) return out_of_range(f, conversion, at.negative, true);
  if (away ? at.hi_out : at.lo_out) return out_of_range(f, conversion, at.negative, false);
  const double magnitude = away ? at.hi : at.lo;
  if (magnitude == 0) return at.negative && f.has_minus_zero() ? -0.0 : 0.0;
  return at.negative ? -magnitude : magnitude;
}

/// §4.7.6, and the codes of NaN that format_spec.h names. `value` is a value of the format.
inline std::uint64_t code_of(const Format& f, double value) {
  const int m = f.spec.mantissa_bits;
  const int magnitude_bits = f.spec.exponent_bits + m;
  const std::uint64_t sign_bit = std::uint64_t{1} << magnitude_bits;
  const bool is_p3109_like = f.spec.top == TopCodes::Fnuz || f.spec.top == TopCodes::P3109;
  const std::uint64_t ieee_infinity = sign_bit - (std::uint64_t{1} << m);
  if (std::isnan(value)) {
    if (is_p3109_like && f.spec.is_signed) return sign_bit;
    return f.spec.top == TopCodes::Ieee ? ieee_infinity + (std::uint64_t{1} << (m - 1)) : sign_bit - 1;
  }
  std::uint64_t code = 0;
  if (std::isinf(value)) {
    code = f.spec.top == TopCodes::Ieee ? ieee_infinity : sign_bit - (f.spec.is_signed ? 1 : 2);
  } else if (value != 0) {
    const int exponent = std::max(std::ilogb(value), f.emin);
    const auto significand = static_cast<std::uint64_t>(std::ldexp(std::abs(value), m - exponent));
    const std::uint64_t one = std::uint64_t{1} << m;
    code = significand < one ? significand : significand - one + (static_cast<std::uint64_t>(exponent + f.bias) << m);
  }
  if (!std::signbit(value)) return code;
  return f.spec.sign_coding == SignCoding::SignMagnitude ? sign_bit + code : 2 * sign_bit - code;
}

}  // namespace bitlaw::exact
