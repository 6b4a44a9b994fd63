#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <optional>

#include "core/block/block_scale.h"
#include "core/format/catalog.h"
#include "core/format/rounding_plan.h"

namespace bitlaw {

/// What the vectorised block quantizer needs to know of a BlockSpec and of its operand.
struct BlockPlan {
  const BlockSpec& spec;
  RoundingPlan<float> element;
  float encode;   ///< S, second-level encode multiplier
  float decode;   ///< 1 / S
  float max;      ///< of the element format
  int emax;       ///< of the element format
  bool is_power;  ///< scales are powers of two
  bool vectorised_scales;
  std::optional<RoundingPlan<float>> scale;  ///< of the scale format, where vectorised AmaxNearest rounds to one

  static bool covers(const BlockSpec& spec, const Rounding& rounding) {
    return !spec.codebook && RoundingPlan<float>::covers(spec.element, rounding);
  }

  BlockPlan(const BlockSpec& s, const Rounding& rounding, float tensor_encode)
      : spec(s),
        element(s.element, rounding),
        encode(tensor_encode),
        decode(1 / tensor_encode),
        max(static_cast<float>(s.element.max_finite())),
        emax(s.element.emax()),
        is_power(s.rule != ScaleRule::AmaxNearest),
        // With emax >= 1 a subnormal amax has the least scale whatever its exponent, so exponent fields suffice.
        vectorised_scales(is_power ? emax >= 1 && (!s.scale || *s.scale == kE8M0)
                                   : !s.scale || RoundingPlan<float>::covers(*s.scale, Rounding())),
        scale(vectorised_scales && !is_power && s.scale ? std::optional(RoundingPlan<float>(*s.scale, Conversion()))
                                                        : std::nullopt) {}
};

}  // namespace bitlaw
