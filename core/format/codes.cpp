#include "core/format/codes.h"

#include <cmath>
#include <limits>

#include "core/base/check.h"

namespace bitlaw {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Of a code above max_magnitude_code(), without its sign bit.
double reserved_value(const FormatSpec& spec, std::uint64_t magnitude) {
  return spec.has_infinity() && magnitude == spec.max_magnitude_code() + 1 ? kInfinity : kNan;
}

/// NaN takes the place of minus zero.
bool nan_is_minus_zero(const FormatSpec& spec) {
  return spec.is_signed && (spec.top == TopCodes::Fnuz || spec.top == TopCodes::P3109);
}

std::optional<std::uint64_t> nan_code(const FormatSpec& spec) {
  if (!spec.has_nan()) return std::nullopt;
  if (nan_is_minus_zero(spec)) return spec.magnitude_codes();
  if (spec.top == TopCodes::Ieee)
    return spec.max_magnitude_code() + 1 + (spec.magnitude_codes() >> (spec.exponent_bits + 1));
  return spec.magnitude_codes() - 1;
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

double decode(const FormatSpec& spec, std::uint64_t code) {
  BITLAW_CHECK(code / spec.magnitude_codes() <= (spec.is_signed ? 1U : 0U), "code {} of {} bits", code,
               spec.total_bits());
  const std::uint64_t magnitude = code % spec.magnitude_codes();
  const bool negative = code >= spec.magnitude_codes();
  if (negative && magnitude == 0 && nan_is_minus_zero(spec)) return kNan;
  const double value =
      magnitude > spec.max_magnitude_code() ? reserved_value(spec, magnitude) : spec.magnitude_of(magnitude);
  return negative ? -value : value;
}

std::optional<std::uint64_t> encode(const FormatSpec& spec, double v) {
  if (std::isnan(v)) return nan_code(spec);
  const bool negative = std::signbit(v);
  if (negative && (!spec.is_signed || (v == 0.0 && !spec.has_minus_zero()))) return std::nullopt;
  const auto magnitude = !std::isinf(v)        ? magnitude_code(spec, std::abs(v))
                         : spec.has_infinity() ? std::optional(spec.max_magnitude_code() + 1)
                                               : std::nullopt;
  if (!magnitude) return std::nullopt;
  return *magnitude + (negative ? spec.magnitude_codes() : 0);
}

std::vector<double> all_values(const FormatSpec& spec) {
  BITLAW_CHECK(spec.total_bits() <= 16, "a table of {} bits", spec.total_bits());
  std::vector<double> values(spec.code_count());
  for (std::uint64_t code = 0; code < spec.code_count(); ++code) values[code] = decode(spec, code);
  return values;
}

}  // namespace bitlaw
