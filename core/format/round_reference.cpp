#include <cmath>
#include <limits>

#include "core/base/check.h"
#include "core/format/quantize.h"

namespace bitlaw {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A magnitude between neighbours: n * step <= magnitude < (n + 1) * step, fraction in [0, 1).
struct Position {
  double n, fraction, step;
  bool odd;  ///< whether the code of n * step is odd
};

Position locate(const FormatSpec& spec, double magnitude) {
  const bool normal = magnitude >= spec.min_normal();
  const int exponent = normal ? std::ilogb(magnitude) : spec.emin();
  const bool only_zero_below = !normal && !spec.has_subnormals;
  const int step_exponent = only_zero_below ? exponent : exponent - spec.mantissa_bits;
  const double steps = std::ldexp(magnitude, -step_exponent);  // exact: a power of two
  const double n = std::floor(steps);
  // Without a fraction field the code is the exponent field, else its last bit is that of the significand n.
  const bool odd = spec.mantissa_bits == 0 ? normal && (exponent + spec.bias) % 2 != 0 : std::fmod(n, 2.0) == 1.0;
  return {n, steps - n, std::ldexp(1.0, step_exponent), odd};
}

bool rounds_up(Rounding rounding, const Position& at, std::uint32_t random, int k) {
  switch (rounding) {
    case Rounding::TiesToEven:
      return at.fraction > 0.5 || (at.fraction == 0.5 && at.odd);
    case Rounding::TowardZero:
      return false;
    case Rounding::Stochastic:
      return std::nearbyint(std::ldexp(at.fraction, k)) + random >= std::ldexp(1.0, k);
  }
  return false;
}

double beyond_max(const FormatSpec& spec, Overflow overflow) {
  if (overflow == Overflow::Saturate) return spec.max_finite();
  return spec.has_infinity() ? kInfinity : spec.has_nan() ? kNan : spec.max_finite();
}

double round_magnitude(const FormatSpec& spec, Rounding rounding, Overflow overflow, double magnitude,
                       std::uint32_t random, int k) {
  if (std::isinf(magnitude)) return beyond_max(spec, overflow);
  if (!spec.has_zero && magnitude < spec.min_normal()) return spec.min_normal();
  const Position at = locate(spec, magnitude);
  const double rounded = (at.n + (rounds_up(rounding, at, random, k) ? 1.0 : 0.0)) * at.step;
  return rounded > spec.max_finite() ? beyond_max(spec, overflow) : rounded;
}

}  // namespace

double round_reference(const FormatSpec& spec, Rounding rounding, Overflow overflow, double v, std::uint32_t random,
                       int k) {
  BITLAW_CHECK(k >= 0 && k <= 32, "k = {}", k);
  if (std::isnan(v)) return v;
  if (!spec.is_signed && v < 0) {
    return overflow == Overflow::Saturate ? (spec.has_zero ? 0.0 : spec.min_positive()) : kNan;
  }
  const double rounded = round_magnitude(spec, rounding, overflow, std::abs(v), random, k);
  const bool negative = std::signbit(v) && spec.is_signed && (rounded != 0.0 || spec.has_minus_zero());
  return negative ? -rounded : rounded;
}

float quantize_element(const FormatSpec& spec, Rounding rounding, Overflow overflow, float x, std::uint32_t bits) {
  if (std::isnan(x)) return x;  // a conversion would change a signalling NaN's bits
  const int k = stochastic_bits(spec);
  const auto random = static_cast<std::uint32_t>(static_cast<std::uint64_t>(bits) >> (32 - k));
  return static_cast<float>(round_reference(spec, rounding, overflow, static_cast<double>(x), random, k));
}

void quantize_reference(const FormatSpec& spec, Rounding rounding, Overflow overflow, std::span<const float> x,
                        std::span<float> out, const RandomStream& stream) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::uint32_t bits = rounding == Rounding::Stochastic ? random_bits(stream, i) : 0;
    out[i] = quantize_element(spec, rounding, overflow, x[i], bits);
  }
}

}  // namespace bitlaw
