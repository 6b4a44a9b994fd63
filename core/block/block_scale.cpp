#include "core/block/block_scale.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/format/quantize.h"

namespace bitlaw {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr int kScaleExponent = 127;  ///< of E8M0: 2^-127 .. 2^127

/// floor(log2 v) of a positive float, from the exponent bits of the double that holds it exactly.
int floor_log2(float v) { return static_cast<int>(std::bit_cast<std::uint64_t>(static_cast<double>(v)) >> 52) - 1023; }

/// Least e with amax <= max 2^e: their exponents' difference, one more where amax has the larger significand.
int exponent_rounded_up(float amax, double max) {
  const int difference = floor_log2(amax) - std::ilogb(max);
  return difference + (static_cast<double>(amax) > std::ldexp(max, difference) ? 1 : 0);
}

float power_of_two_scale(const BlockSpec& spec, float amax) {
  if (amax == 0) return std::ldexp(1.0F, -kScaleExponent);
  const int exponent = spec.rule == ScaleRule::OcpFloor ? floor_log2(amax) - spec.element_emax()
                                                        : exponent_rounded_up(amax, spec.element_max());
  return std::ldexp(1.0F, std::clamp(exponent, -kScaleExponent, kScaleExponent));
}

float unrounded_scale(const BlockSpec& spec, float amax, float tensor_encode) {
  if (spec.rule != ScaleRule::AmaxNearest) return power_of_two_scale(spec, amax * tensor_encode);
  return amax / static_cast<float>(spec.element_max()) * tensor_encode;
}

}  // namespace

float tensor_encode(const BlockSpec& spec, float amax) {
  if (!std::isfinite(amax)) return kNan;
  if (!spec.tensor_target || amax == 0) return 1;
  return std::min(static_cast<float>(*spec.tensor_target) / amax, kLargest);
}

BlockScale block_scale(const BlockSpec& spec, float amax, float tensor_encode) {
  if (!std::isfinite(amax) || std::isnan(tensor_encode)) return {.encode = 1, .decode = kNan};
  float scale = unrounded_scale(spec, amax, tensor_encode);
  if (spec.scale) scale = quantize_element(*spec.scale, Conversion(), scale, RandomStream(), 0);
  return {.encode = std::min(tensor_encode / scale, kLargest), .decode = scale * (1 / tensor_encode)};
}

}  // namespace bitlaw
