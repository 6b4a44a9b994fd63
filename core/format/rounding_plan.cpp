#include "core/format/rounding_plan.h"

#include <algorithm>
#include <cmath>

#include "core/format/quantize.h"

namespace bitlaw {
namespace {

/// What v becomes by definition; random numbers round up wherever they can.
double defined(const FormatSpec& spec, const Conversion& conversion, double v) {
  const int k = conversion.rounding.bits;
  const auto highest = static_cast<std::uint32_t>(k == 0 ? 0xFFFFFFFF : (std::uint64_t{1} << k) - 1);
  return round_reference(spec, conversion, v, [=](int) { return highest; });
}

/// Whether some step can depend on bits below those that noise is added to.
bool can_be_in_doubt(const Rounding& rounding, int dropped) {
  if (rounding.may_need_more_bits()) return true;
  switch (rounding.mode) {
    case RoundingMode::StochasticA:
      return rounding.bits > dropped;
    case RoundingMode::StochasticB:
    case RoundingMode::StochasticC:
      return rounding.bits >= dropped;
    default:
      return false;
  }
}

}  // namespace

template <typename T>
bool RoundingPlan<T>::covers(const FormatSpec& spec, const Rounding& rounding) {
  if (!spec.is_exact_in_double() || spec.mantissa_bits >= kFraction) return false;
  if (spec.emin() < kLeastExponent || std::max(spec.emin(), spec.emax()) > -kLeastExponent + 1) return false;
  // With few dropped bits doubt is frequent, and slow: float64 has more.
  return std::is_same_v<T, double> || !rounding.is_stochastic() || spec.mantissa_bits <= 11;
}

template <typename T>
RoundingPlan<T>::RoundingPlan(const FormatSpec& s, const Conversion& c)
    : min_normal(static_cast<T>(s.min_normal())),
      raise(s.emin() == kLeastExponent ? 0 : min_normal),
      max(static_cast<T>(s.max_finite())),
      has_room(s.mantissa_bits > 0 && s.has_subnormals &&
               std::max(s.emax(), s.emin()) + kFraction - s.mantissa_bits <= -kLeastExponent + 1),
      magic_exponent(static_cast<Bits>(kFraction - s.mantissa_bits) << kFraction),
      dropped(kFraction - s.mantissa_bits),
      differs_below(s.mantissa_bits == 0 || !s.has_subnormals),
      has_minus_zero(s.has_minus_zero()),
      has_zero(s.has_zero),
      spec(s),
      conversion(c) {
  normal = increment(dropped, false);
  below = increment(differs_below ? kFraction : dropped, true);
  const bool is_even = c.rounding.mode == RoundingMode::TiesToEven;
  add = is_even ? normal.even : normal.odd;
  add_odd = is_even ? 1 : 0;
  plan_random_field();
  normal_noise = noise(dropped);
  below_noise = noise(differs_below ? kFraction : dropped);
  can_doubt = normal_noise.doubt != 0 || below_noise.doubt != 0;
  plan_range();
  kernel = choose_kernel();
}

template <typename T>
bool RoundingPlan<T>::is_plain() const {
  const bool saturates = limit[0] == max && limit[1] == max && beyond[0] == max && at_infinity[0] == max &&
                         beyond[1] == -max && at_infinity[1] == -max;
  return saturates && keeps_nan && has_zero && (spec.has_subnormals || spec.mantissa_bits == 0);
}

template <typename T>
RoundingKernel RoundingPlan<T>::choose_kernel() const {
  const RoundingMode mode = conversion.rounding.mode;
  if (conversion.rounding.is_stochastic()) {
    if (!is_plain() || differs_below) return RoundingKernel::GeneralStochastic;
    const bool is_byte = field_bits == 8 && normal_noise.coarse == 0 && !can_doubt;
    return is_byte ? RoundingKernel::StochasticByte : RoundingKernel::Stochastic;
  }
  const bool is_frequent =
      mode == RoundingMode::TiesToEven || mode == RoundingMode::TowardZero || mode == RoundingMode::TiesToAway;
  if (!is_plain() || !is_frequent || spec.mantissa_bits == 0) return RoundingKernel::General;
  if (spec.emin() == kLeastExponent) return RoundingKernel::OnBits;
  if (!has_room || (mode == RoundingMode::TiesToAway && dropped < 2)) return RoundingKernel::General;
  return mode == RoundingMode::TiesToEven   ? RoundingKernel::Nearest
         : mode == RoundingMode::TowardZero ? RoundingKernel::TowardZero
                                            : RoundingKernel::TiesToAway;
}

template <typename T>
typename RoundingPlan<T>::Increment RoundingPlan<T>::increment(int bits_dropped, bool is_below) const {
  const Bits unit = Bits{1} << bits_dropped;
  const Bits middle = unit / 2;
  const Bits all = unit - 1;
  // The code of a normal number is odd with its last bit. Without mantissa bits that is the exponent's, whose bias
  // differs. Below the normal numbers of such a format only zero is kept, which is even.
  const bool only_zero = is_below && differs_below;
  const Bits parity = only_zero ? 0 : unit;
  const Bits code_flip = !only_zero && spec.mantissa_bits == 0 && (spec.bias + kLeastExponent - 1) % 2 != 0 ? unit : 0;
  const PowerTies ties = spec.mantissa_bits == 0 && !only_zero ? conversion.rounding.power_ties : PowerTies::EvenCode;
  switch (conversion.rounding.mode) {
    case RoundingMode::TiesToEven:
      if (ties == PowerTies::Larger) return {0, unit, 0, unit, 0, middle, ~all};
      if (ties == PowerTies::Logarithmic) {
        const auto first_up = static_cast<Bits>(std::ceil(std::ldexp(1.4142135623730951 - 1, kFraction)));
        return {0, unit, 0, unit, 0, unit - first_up, ~all};
      }
      return {parity, code_flip, 0, unit, middle - 1, middle, ~all};
    case RoundingMode::TiesToAway:
      return {0, unit, 0, unit, 0, middle, ~all};
    case RoundingMode::TiesTowardZero:
      return {0, 0, 0, unit, middle - 1, 0, ~all};
    case RoundingMode::TowardPositive:
      return {0, 0, unit, unit, all, 0, ~all};
    case RoundingMode::TowardNegative:
      return {0, unit, unit, unit, all, 0, ~all};
    case RoundingMode::ToOdd:
      return {parity, code_flip, 0, unit, all, 0, ~all};
    default:
      return {0, unit, 0, unit, 0, 0, ~all};
  }
}

template <typename T>
void RoundingPlan<T>::plan_random_field() {
  const Rounding& rounding = conversion.rounding;
  const int k = rounding.may_need_more_bits() ? 16 : std::max(rounding.bits, 1);
  field_bits = random_field_bits(rounding);
  field_keep = ~Bits{0} << (kBits - k);
  const bool has_half = rounding.mode == RoundingMode::StochasticB && k == rounding.bits;
  field_half = has_half ? Bits{1} << (kBits - k - 1) : 0;
}

template <typename T>
typename RoundingPlan<T>::Noise RoundingPlan<T>::noise(int bits_dropped) const {
  const Bits all = (Bits{1} << bits_dropped) - 1;
  const Bits first16 = all & ~((Bits{1} << std::max(bits_dropped - 16, 0)) - 1);
  const Rounding& rounding = conversion.rounding;
  const bool in_doubt = can_be_in_doubt(rounding, bits_dropped);
  return {.shift = kBits - bits_dropped,
          .coarse = rounding.mode == RoundingMode::StochasticC ? std::max(bits_dropped - rounding.bits, 0) : 0,
          .doubt = in_doubt ? first16 : 0,
          .all_set = in_doubt ? first16 : 1,
          .keep = ~all};
}

/// By definition, once: the largest double is beyond all that a format of this plan does not round into its range.
template <typename T>
void RoundingPlan<T>::plan_range() {
  const double huge = std::numeric_limits<double>::max();
  const double infinity = std::numeric_limits<double>::infinity();
  limit = {max, static_cast<T>(-spec.lowest())};
  beyond = {static_cast<T>(defined(spec, conversion, huge)), static_cast<T>(defined(spec, conversion, -huge))};
  at_infinity = {static_cast<T>(defined(spec, conversion, infinity)),
                 static_cast<T>(defined(spec, conversion, -infinity))};
  zero = static_cast<T>(defined(spec, conversion, 0.0));
  keeps_nan = conversion.nan == NanPolicy::Propagate;
  nan = static_cast<T>(defined(spec, conversion, std::numeric_limits<double>::quiet_NaN()));
}

template struct RoundingPlan<float>;
template struct RoundingPlan<double>;

}  // namespace bitlaw
