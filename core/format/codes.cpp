#include "core/format/codes.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <string_view>

#include "core/base/check.h"
#include "core/base/limits.h"

namespace bitlaw {
namespace {

/// NaN takes the place of minus zero.
bool nan_is_minus_zero(const FormatSpec& spec) {
  return spec.is_signed && (spec.top == TopCodes::Fnuz || spec.top == TopCodes::P3109);
}

/// A code taken apart.
struct CodeParts {
  enum class Kind {
    Finite,
    Infinity,
    Nan
  } kind;
  bool negative;
  Dyadic magnitude;  ///< Finite only
};

CodeParts split(const FormatSpec& spec, std::uint64_t code) {
  using Kind = CodeParts::Kind;
  BITLAW_CHECK(code / spec.magnitude_codes() <= (spec.is_signed ? 1U : 0U), "code {} of {} bits", code,
               spec.total_bits());
  const bool negative = code >= spec.magnitude_codes();
  if (negative && spec.is_twos_complement()) {
    return {Kind::Finite, true, {spec.code_count() - code, spec.emin() - spec.mantissa_bits}};
  }
  const std::uint64_t magnitude = code % spec.magnitude_codes();
  if (negative && magnitude == 0 && nan_is_minus_zero(spec)) return {Kind::Nan, true, {}};
  if (magnitude <= spec.max_magnitude_code()) return {Kind::Finite, negative, spec.magnitude(magnitude)};
  const bool infinite = spec.has_infinity() && magnitude == spec.max_magnitude_code() + 1;
  return {infinite ? Kind::Infinity : Kind::Nan, negative, {}};
}

/// Exact where the format is.
double exact_value(const Dyadic& value) { return std::ldexp(static_cast<double>(value.significand), value.exponent); }

void require_double(const FormatSpec& spec) {
  BITLAW_CHECK(spec.is_exact_in_double(), "a format of {} exponent bits and bias {} is beyond double",
               spec.exponent_bits, spec.bias);
}

/// The code of a finite magnitude, by bisection: magnitudes grow with their codes.
std::optional<std::uint64_t> magnitude_code(const FormatSpec& spec, double magnitude) {
  std::uint64_t low = 0;
  std::uint64_t high = spec.max_magnitude_code();
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (spec.magnitude_of(middle) < magnitude) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return spec.magnitude_of(low) == magnitude ? std::optional(low) : std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> nan_code(const FormatSpec& spec) {
  if (!spec.has_nan()) return std::nullopt;
  if (nan_is_minus_zero(spec)) return spec.magnitude_codes();
  if (spec.top == TopCodes::Ieee)
    return spec.max_magnitude_code() + 1 + (spec.magnitude_codes() >> (spec.exponent_bits + 1));
  return spec.magnitude_codes() - 1;
}

double decode(const FormatSpec& spec, std::uint64_t code) {
  require_double(spec);
  const CodeParts parts = split(spec, code);
  if (parts.kind == CodeParts::Kind::Nan) return kNan;
  const double value = parts.kind == CodeParts::Kind::Infinity ? kInfinity : exact_value(parts.magnitude);
  return parts.negative ? -value : value;
}

bool is_value_code(const FormatSpec& spec, std::uint64_t code) {
  return spec.sign_coding != SignCoding::TwosComplementSymmetric || code != spec.magnitude_codes();
}

std::optional<std::uint64_t> encode(const FormatSpec& spec, double v) {
  require_double(spec);
  if (std::isnan(v)) return nan_code(spec);
  const bool negative = std::signbit(v);
  if (negative && (!spec.is_signed || (v == 0.0 && !spec.has_minus_zero()))) return std::nullopt;
  if (v == -pow2(spec.emin()) && spec.sign_coding == SignCoding::TwosComplement) return spec.magnitude_codes();
  const auto magnitude = !std::isinf(v)        ? magnitude_code(spec, std::abs(v))
                         : spec.has_infinity() ? std::optional(spec.max_magnitude_code() + 1)
                                               : std::nullopt;
  if (!magnitude) return std::nullopt;
  if (!negative) return magnitude;
  return spec.is_twos_complement() ? spec.code_count() - *magnitude : *magnitude + spec.magnitude_codes();
}

std::vector<double> all_values(const FormatSpec& spec) {
  BITLAW_CHECK(spec.total_bits() <= 16, "a table of {} bits", spec.total_bits());
  std::vector<double> values(spec.code_count());
  for (std::uint64_t code = 0; code < spec.code_count(); ++code) values[code] = decode(spec, code);
  return values;
}

std::string hex_value(const FormatSpec& spec, std::uint64_t code) {
  const CodeParts parts = split(spec, code);
  if (parts.kind == CodeParts::Kind::Nan) return "nan";
  const std::string_view sign = parts.negative ? "-" : "";
  if (parts.kind == CodeParts::Kind::Infinity) return fmt::format("{}inf", sign);
  const auto [significand, exponent] = parts.magnitude;
  if (significand == 0) return fmt::format("{}0x0p+0", sign);
  const int top_bit = static_cast<int>(std::bit_width(significand)) - 1;
  std::string digits = fmt::format("{:013x}", (significand << (52 - top_bit)) & 0xFFFFFFFFFFFFFU);
  digits.erase(digits.find_last_not_of('0') + 1);
  return fmt::format("{}0x1{}{}p{:+}", sign, digits.empty() ? "" : ".", digits, exponent + top_bit);
}

namespace {

/// The value that follows v >= 0 upward in the format's magnitudes, infinity included; v itself at the end.
double magnitude_above(const FormatSpec& spec, double v) {
  const auto code = magnitude_code(spec, v);
  BITLAW_CHECK(code.has_value(), "{} is not a value of the format", v);
  // Without subnormals the codes of the exponent field 0 are zero: skip them.
  const std::uint64_t next = v == 0 && spec.has_zero ? magnitude_code(spec, spec.min_positive()).value() : *code + 1;
  if (next <= spec.max_magnitude_code()) return spec.magnitude_of(next);
  return spec.has_infinity() ? kInfinity : v;
}

/// The same downward from v > 0: below the least positive value zero, or where there is none the least negative value.
double value_below(const FormatSpec& spec, double v) {
  if (std::isinf(v)) return spec.max_finite();
  const auto code = magnitude_code(spec, v);
  BITLAW_CHECK(code.has_value(), "{} is not a value of the format", v);
  if (v == spec.min_positive()) return spec.has_zero ? 0.0 : spec.is_signed ? -v : v;
  return spec.magnitude_of(*code - 1);
}

}  // namespace

double next_up(const FormatSpec& spec, double v) {
  require_double(spec);
  if (std::isnan(v) || v == kInfinity) return v;
  if (v >= 0) return magnitude_above(spec, v);
  if (v == -pow2(spec.emin()) && spec.sign_coding == SignCoding::TwosComplement) return -spec.max_finite();
  const double magnitude = value_below(spec, -v);
  return magnitude == 0 && !spec.has_minus_zero() ? 0.0 : -magnitude;
}

double next_down(const FormatSpec& spec, double v) {
  require_double(spec);
  if (std::isnan(v) || v == -kInfinity) return v;
  if (v > 0) return value_below(spec, v);
  if (!spec.is_signed || v == spec.lowest()) return spec.has_infinity() && spec.is_signed ? -kInfinity : v;
  if (v == -spec.max_finite() && spec.sign_coding == SignCoding::TwosComplement) return spec.lowest();
  return -magnitude_above(spec, -v);
}

double ulp(const FormatSpec& spec, double v) {
  require_double(spec);
  const double magnitude = std::abs(v);
  BITLAW_CHECK(magnitude <= spec.max_finite(), "{} is beyond the format's values", v);
  if (magnitude < spec.min_normal()) return spec.min_positive();
  return std::ldexp(1.0, std::ilogb(magnitude) - spec.mantissa_bits);
}

}  // namespace bitlaw
