#include "core/block/block_scale.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/format/quantize.h"

namespace bitlaw {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kFloatNan = std::numeric_limits<float>::quiet_NaN();
constexpr int kScaleExponent = 127;  ///< of E8M0: 2^-127 .. 2^127

/// floor(log2 v) of a positive number, from the exponent bits of the double that holds it exactly.
int floor_log2(double v) { return static_cast<int>(std::bit_cast<std::uint64_t>(v) >> 52) - 1023; }

bool is_power_of_two(float v) { return static_cast<double>(v) == std::ldexp(1.0, floor_log2(v)); }

/// Least e with a <= max 2^e: their exponents' difference, one more where a has the larger significand.
int exponent_rounded_up(float a, double max) {
  const int difference = floor_log2(a) - floor_log2(max);
  return difference + (static_cast<double>(a) > std::ldexp(max, difference) ? 1 : 0);
}

/// a with half of the last place of `digits` significand bits added, as an integer, to its bits: a carry goes on into
/// the exponent, up to the bits of infinity.
double half_place_added(float a, int digits) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(a) + (std::uint32_t{1} << (23 - digits));
  return bits >= 0x7F800000 ? 0x1p128 : static_cast<double>(std::bit_cast<float>(bits));
}

float power_of_two_scale(const BlockSpec& spec, float a) {
  const auto exponent = [&] {
    switch (spec.rule) {
      case ScaleRule::Ceil:
        return floor_log2(a) + (is_power_of_two(a) ? 0 : 1) - spec.element_emax();
      case ScaleRule::Even:
        return floor_log2(half_place_added(a, significand_bits(spec.element))) - spec.element_emax();
      case ScaleRule::RoundUp:
        return exponent_rounded_up(a, spec.element_max());
      default:
        return floor_log2(a) - spec.element_emax();
    }
  };
  return std::ldexp(1.0F, a == 0 ? -kScaleExponent : std::clamp(exponent(), -kScaleExponent, kScaleExponent));
}

/// X of Divide and Reciprocal.
float scaled_quotient(const BlockSpec& spec, const TensorScale& tensor, float a) {
  const auto max = static_cast<float>(spec.element_max());
  const auto over_max = [&](float v) { return spec.rule == ScaleRule::Divide ? v / max : v * (1 / max); };
  switch (has_second_level(spec, tensor.amax) ? spec.order : TensorOrder::ScaleLast) {
    case TensorOrder::Folded:
      return a * over_max(tensor.encode);
    case TensorOrder::Divisor:
      return over_max(a) / tensor.decode;
    case TensorOrder::TargetFirst:
      return a * over_max(static_cast<float>(*spec.tensor_target)) / tensor.amax;
    case TensorOrder::ScaleLast:
      break;
  }
  return over_max(a) * tensor.encode;
}

float zero_scale(const BlockSpec& spec, float kept) {
  switch (spec.zero_scale) {
    case ZeroScale::Least:
      return spec.scale ? static_cast<float>(spec.scale->min_positive()) : std::numeric_limits<float>::denorm_min();
    case ZeroScale::One:
      return 1;
    case ZeroScale::Keep:
      break;
  }
  return kept;
}

}  // namespace

int significand_bits(const FormatSpec& element) {
  return std::min(23, element.mantissa_bits + (element.exponent_bits > 0 ? 1 : 0));
}

TensorScale tensor_scale(const BlockSpec& spec, float amax) {
  if (!std::isfinite(amax)) return {.encode = kFloatNan, .decode = kFloatNan, .amax = amax};
  if (!has_second_level(spec, amax)) return {.amax = amax};
  const auto target = static_cast<float>(*spec.tensor_target);
  const bool is_divisor = spec.order == TensorOrder::Divisor;
  const float first = is_divisor ? amax / target : std::min(target / amax, kLargest);
  if (first == 0) return {.amax = amax};
  const float inverse = std::min(1 / first, kLargest);
  return {.encode = is_divisor ? inverse : first, .decode = is_divisor ? first : inverse, .amax = amax};
}

float unrounded_scale(const BlockSpec& spec, const TensorScale& tensor, float a) {
  if (spec.statistic == BlockStatistic::Step) return static_cast<float>(spec.parameter);
  if (!spec.is_power_of_two_rule() && spec.rule != ScaleRule::Projection) return scaled_quotient(spec, tensor, a);
  const float scaled = spec.order == TensorOrder::Divisor ? a / tensor.decode : a * tensor.encode;
  if (spec.rule == ScaleRule::Projection) return scaled;
  return power_of_two_scale(spec, std::min(scaled, kLargest));
}

float rounded_scale(const BlockSpec& spec, float unrounded) {
  const float raised = std::max(unrounded, static_cast<float>(spec.least_scale));
  return spec.scale ? quantize_element(*spec.scale, spec.scale_rounding, raised, RandomStream(), 0) : raised;
}

float block_decode(const BlockSpec& spec, const TensorScale& tensor, float scale) {
  if (!has_second_level(spec, tensor.amax)) return scale;
  switch (spec.store) {
    case TensorStore::Divisor:
      return scale / tensor.encode;
    case TensorStore::Amax:
      return scale * tensor.amax * (1 / static_cast<float>(*spec.tensor_target));
    case TensorStore::Multiplier:
      break;
  }
  return scale * tensor.decode;
}

BlockScale with_multipliers(const BlockSpec& spec, const TensorScale& tensor, float scale) {
  const float encode = spec.scaling == ElementScaling::Reciprocal ? 1 / (scale * tensor.decode) : tensor.encode / scale;
  return {.scale = scale, .encode = std::min(encode, kLargest), .decode = block_decode(spec, tensor, scale)};
}

BlockScale block_scale(const BlockSpec& spec, const TensorScale& tensor, float a) {
  const bool refused = std::isnan(a) || (std::isinf(a) && spec.non_finite == NonFinite::BlockNan);
  if (refused || std::isnan(tensor.encode)) return {.scale = kFloatNan, .encode = 1, .decode = kFloatNan};
  const float scale = rounded_scale(spec, unrounded_scale(spec, tensor, a));
  return with_multipliers(spec, tensor, a == 0 || scale == 0 ? zero_scale(spec, scale) : scale);
}

}  // namespace bitlaw
