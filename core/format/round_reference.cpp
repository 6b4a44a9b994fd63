#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/format/quantize.h"

namespace bitlaw {
namespace {

/// f + U >= 1, from the first digits of base 2^32 that decide: 1 - U has the digits 2^32 - 1 - word(j).
bool exact_rounds_up(double fraction, const RandomWords& random) {
  for (int j = 0; fraction > 0; ++j) {
    const double scaled = std::ldexp(fraction, 32);
    const double digit = std::floor(scaled);
    const double threshold = 0xFFFFFFFFU - random(j);
    if (digit != threshold) return digit > threshold;
    fraction = scaled - digit;
  }
  return false;
}

}  // namespace

bool stochastic_rounds_up(const Rounding& rounding, double f, const RandomWords& random) {
  const int k = rounding.bits;
  switch (rounding.mode) {
    case RoundingMode::StochasticA:
      return std::floor(std::ldexp(f, k)) + random(0) >= std::ldexp(1.0, k);
    case RoundingMode::StochasticB:
      return std::floor(std::ldexp(f, k + 1)) + 2.0 * random(0) + 1.0 >= std::ldexp(1.0, k + 1);
    case RoundingMode::StochasticC:
      return std::nearbyint(std::ldexp(f, k)) + random(0) >= std::ldexp(1.0, k);
    default:
      return exact_rounds_up(f, random);
  }
}

namespace {

/// A magnitude between neighbours: lo = n * step, hi = (n + 1) * step, fraction f in [0, 1).
struct Position {
  double n, fraction, step;
  bool odd;        ///< whether the code of lo is odd
  bool is_binade;  ///< no mantissa bits and lo > 0: hi = 2 lo
};

Position locate(const FormatSpec& spec, double magnitude) {
  const bool normal = magnitude >= spec.min_normal();
  const int exponent = normal ? std::ilogb(magnitude) : spec.emin();
  const bool only_zero_below = !normal && !spec.has_subnormals;
  const int step_exponent = only_zero_below ? exponent : exponent - spec.mantissa_bits;
  // Exact: a power of two. Where that underflows, far below steps of more than 1, the least fraction stands for f: no
  // other number than zero is a zero.
  const double least = magnitude > 0 ? std::numeric_limits<double>::denorm_min() : 0.0;
  const double steps = std::max(std::ldexp(magnitude, -step_exponent), least);
  const double n = std::floor(steps);
  // Without a fraction field the code is the exponent field, else its last bit is that of the significand n.
  const bool odd = spec.mantissa_bits == 0 ? normal && (exponent + spec.bias) % 2 != 0 : std::fmod(n, 2.0) == 1.0;
  return {n, steps - n, std::ldexp(1.0, step_exponent), odd, spec.mantissa_bits == 0 && normal};
}

bool nearest_rounds_up(PowerTies power_ties, const Position& at) {
  if (at.is_binade && power_ties == PowerTies::Larger) return at.fraction >= 0.5;
  // No double lies between sqrt(2) and the double next to it, which is larger.
  if (at.is_binade && power_ties == PowerTies::Logarithmic) return at.n + at.fraction >= 1.4142135623730951;
  return at.fraction > 0.5 || (at.fraction == 0.5 && at.odd);
}

bool rounds_up(const Rounding& rounding, const Position& at, bool negative, const RandomWords& random) {
  const double f = at.fraction;
  switch (rounding.mode) {
    case RoundingMode::TiesToEven:
      return nearest_rounds_up(rounding.power_ties, at);
    case RoundingMode::TiesToAway:
      return f >= 0.5;
    case RoundingMode::TiesTowardZero:
      return f > 0.5;
    case RoundingMode::TowardZero:
      return false;
    case RoundingMode::TowardPositive:
      return f > 0 && !negative;
    case RoundingMode::TowardNegative:
      return f > 0 && negative;
    case RoundingMode::ToOdd:
      return f > 0 && !at.odd;
    case RoundingMode::StochasticA:
    case RoundingMode::StochasticB:
    case RoundingMode::StochasticC:
    case RoundingMode::StochasticExact:
      return stochastic_rounds_up(rounding, f, random);
  }
  return false;
}

/// As if the range went on above the largest value; infinity where that leaves double.
double round_magnitude(const FormatSpec& spec, const Rounding& rounding, double magnitude, bool negative,
                       const RandomWords& random) {
  if (std::isinf(magnitude)) return magnitude;
  if (!spec.has_zero && magnitude < spec.min_normal()) return spec.min_normal();
  const Position at = locate(spec, magnitude);
  return (at.n + (rounds_up(rounding, at, negative, random) ? 1.0 : 0.0)) * at.step;
}

bool saturates(Overflow overflow) { return overflow == Overflow::Saturate || overflow == Overflow::Propagate; }

/// Whether a finite value beyond the largest one of its sign stays there under Overflow::ByDirection.
bool rounds_into_range(const FormatSpec& spec, RoundingMode mode, bool negative) {
  return mode == RoundingMode::TowardZero ||
         mode == (negative ? RoundingMode::TowardPositive : RoundingMode::TowardNegative) ||
         (mode == RoundingMode::ToOdd && spec.max_magnitude_code() % 2 == 1);
}

/// The magnitude that stands for what is beyond `limit`, the largest magnitude of this sign.
double beyond(const FormatSpec& spec, const Conversion& conversion, double limit, bool negative, bool was_infinite) {
  switch (conversion.overflow) {
    case Overflow::Saturate:
      return limit;
    case Overflow::Propagate:
      return was_infinite && spec.has_infinity() ? kInfinity : limit;
    case Overflow::ByDirection:
      if (!was_infinite && rounds_into_range(spec, conversion.rounding.mode, negative)) return limit;
      break;
    case Overflow::ToInfinity:
      break;
  }
  return spec.has_infinity() ? kInfinity : spec.has_nan() ? kNan : limit;
}

/// What a negative number becomes in an unsigned format, where it does not round to zero.
double below_range(const FormatSpec& spec, const Conversion& conversion, bool was_infinite) {
  const RoundingMode mode = conversion.rounding.mode;
  const bool rounds_up = mode == RoundingMode::TowardZero || mode == RoundingMode::TowardPositive;
  const bool directed = conversion.overflow == Overflow::ByDirection && rounds_up && !was_infinite;
  return saturates(conversion.overflow) || directed || !spec.has_nan() ? spec.lowest() : kNan;
}

double nan_result(const FormatSpec& spec, NanPolicy policy, double nan) {
  return policy == NanPolicy::Propagate ? nan : policy == NanPolicy::ToMax || !spec.has_zero ? spec.max_finite() : 0.0;
}

}  // namespace

double round_reference(const FormatSpec& spec, const Conversion& conversion, double v, const RandomWords& random) {
  BITLAW_CHECK(spec.is_exact_in_double(), "a format of {} exponent bits and bias {} is beyond double",
               spec.exponent_bits, spec.bias);
  BITLAW_CHECK(conversion.rounding.is_valid(), "{} random bits", conversion.rounding.bits);
  if (std::isnan(v)) return nan_result(spec, conversion.nan, v);
  if (v == 0 && !spec.has_zero) {
    return saturates(conversion.overflow) || !spec.has_nan() ? spec.min_positive() : kNan;
  }
  const bool negative = std::signbit(v);
  const double magnitude = round_magnitude(spec, conversion.rounding, std::abs(v), negative, random);
  if (magnitude == 0) return negative && spec.has_minus_zero() ? -0.0 : 0.0;
  if (negative && !spec.is_signed) return below_range(spec, conversion, std::isinf(v));
  const double limit = negative ? -spec.lowest() : spec.max_finite();
  const double kept = magnitude <= limit ? magnitude : beyond(spec, conversion, limit, negative, std::isinf(v));
  return negative ? -kept : kept;
}

std::uint32_t exact_random_word(const RandomStream& stream, std::uint64_t element, int j) {
  const auto further = [&](int n) { return random_bits(stream, element + (static_cast<std::uint64_t>(n) << 57)); };
  return j == 0 ? stochastic_random(stream, element, 16) << 16 | further(1) >> 16 : further(j + 1);
}

std::uint32_t stochastic_random(const RandomStream& stream, std::uint64_t element, int k) {
  if (k > 16) return exact_random_word(stream, element, 0) >> (32 - k);
  const std::uint64_t fields = k <= 8 ? 4 : 2;
  const int width = static_cast<int>(32 / fields);
  const std::uint64_t field = element % fields;
  const std::uint64_t word = random_bits(stream, element / fields);
  const std::uint64_t from_low = word >> (static_cast<int>(field) * width);
  return static_cast<std::uint32_t>((from_low & ((std::uint64_t{1} << width) - 1)) >> (width - k));
}

double quantize_element(const FormatSpec& spec, const Conversion& conversion, double x, const RandomStream& stream,
                        std::uint64_t element) {
  return round_reference(spec, conversion, x, [&](int j) {
    return conversion.rounding.mode == RoundingMode::StochasticExact
               ? exact_random_word(stream, element, j)
               : stochastic_random(stream, element, conversion.rounding.bits);
  });
}

float quantize_element(const FormatSpec& spec, const Conversion& conversion, float x, const RandomStream& stream,
                       std::uint64_t element) {
  if (std::isnan(x) && conversion.nan == NanPolicy::Propagate)
    return x;  // a signalling NaN would not survive a conversion
  return static_cast<float>(quantize_element(spec, conversion, static_cast<double>(x), stream, element));
}

namespace {

template <typename T>
void quantize_elements(const FormatSpec& spec, const Conversion& conversion, std::span<const T> x, std::span<T> out,
                       const RandomStream& stream) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = quantize_element(spec, conversion, x[i], stream, i);
}

}  // namespace

void quantize_reference(const FormatSpec& spec, const Conversion& conversion, std::span<const float> x,
                        std::span<float> out, const RandomStream& stream) {
  quantize_elements(spec, conversion, x, out, stream);
}

void quantize_reference(const FormatSpec& spec, const Conversion& conversion, std::span<const double> x,
                        std::span<double> out, const RandomStream& stream) {
  quantize_elements(spec, conversion, x, out, stream);
}

}  // namespace bitlaw
