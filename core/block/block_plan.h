#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "core/block/block_scale.h"
#include "core/format/catalog.h"
#include "core/format/rounding_plan.h"

namespace bitlaw {

/// What the vectorised block quantizer needs to know of a BlockSpec and of its operand.
struct BlockPlan {
  const BlockSpec& spec;
  TensorScale tensor;
  TensorOrder order;  ///< ScaleLast and Multiplier where there is no second level
  TensorStore store;
  RoundingPlan<float> element;
  RoundingPlan<float> judge;       ///< element, to nearest: what a search goes by
  float max;                       ///< of the element format
  int emax;                        ///< of the element format
  float clip;                      ///< a = clip amax
  float factor;                    ///< Folded: S / max or S (1 / max); TargetFirst: the same of T
  float target;                    ///< T
  std::int32_t half_place;         ///< what Even adds to the bits of a
  std::int32_t exact_significand;  ///< Ceil, RoundUp: larger significands than this take the next exponent
  float of_zeros;                  ///< the scale where a or X is zero, unless it is kept
  bool is_rounded_up_power;        ///< a quotient rounded up to E8M0
  bool vectorised_scales;
  std::optional<RoundingPlan<float>> scale;  ///< of the scale format, where vectors round to one
  bool adds_to_round = false;                ///< whether one addition does that

  static bool covers(const BlockSpec& spec, const Rounding& rounding) {
    const bool by_amax = spec.statistic == BlockStatistic::Amax || spec.statistic == BlockStatistic::ClipRatio;
    const bool multiplies = spec.scaling == ElementScaling::Ratio || spec.scaling == ElementScaling::Reciprocal;
    return !spec.codebook && by_amax && multiplies && can_search(spec) && !spec.double_quantization &&
           spec.non_finite == NonFinite::BlockNan && RoundingPlan<float>::covers(spec.element, rounding);
  }

  /// No search, or 4-over-6 with scales and elements that vectors round.
  static bool can_search(const BlockSpec& spec) {
    if (spec.search == ScaleSearch::None) return true;
    const bool is_quotient = spec.rule == ScaleRule::Divide || spec.rule == ScaleRule::Reciprocal;
    return spec.search != ScaleSearch::Mse && is_quotient && spec.zero_scale == ZeroScale::Keep &&
           (!spec.scale || RoundingPlan<float>::covers(*spec.scale, spec.scale_rounding)) &&
           RoundingPlan<float>(spec.element, Conversion()).kernel == RoundingKernel::Nearest;
  }

  BlockPlan(const BlockSpec& s, const Rounding& rounding, const TensorScale& t)
      : spec(s),
        tensor(t),
        order(has_second_level(spec, tensor.amax) ? s.order : TensorOrder::ScaleLast),
        store(has_second_level(spec, tensor.amax) ? s.store : TensorStore::Multiplier),
        element(s.element, rounding),
        judge(s.element, Conversion()),
        max(static_cast<float>(s.element.max_finite())),
        emax(s.element.emax()),
        clip(s.statistic == BlockStatistic::ClipRatio ? static_cast<float>(s.parameter) : 1),
        target(static_cast<float>(s.tensor_target.value_or(1))),
        half_place(std::int32_t{1} << (23 - significand_bits(s.element))),
        exact_significand(s.rule == ScaleRule::Ceil ? 0 : std::bit_cast<std::int32_t>(max) & 0x007FFFFF),
        of_zeros(block_scale(s, t, 0).scale),
        is_rounded_up_power(!s.is_power_of_two_rule() && s.scale && *s.scale == kE8M0 &&
                            s.scale_rounding.mode == RoundingMode::TowardPositive),
        vectorised_scales(can_vectorise_scales()) {
    const float folded = order == TensorOrder::TargetFirst ? target : tensor.encode;
    factor = s.rule == ScaleRule::Divide ? folded / max : folded * (1 / max);
    if (vectorised_scales && !s.is_power_of_two_rule() && !is_rounded_up_power && s.scale) {
      scale.emplace(*s.scale, Conversion(s.scale_rounding));
      adds_to_round = scale->has_room && s.scale_rounding.mode == RoundingMode::TiesToEven;
    }
  }

 private:
  bool can_vectorise_scales() const {
    if (spec.is_power_of_two_rule()) {
      // With emax >= 1 a subnormal amax has the least scale whatever its exponent, so exponent fields suffice.
      const bool by_fields = emax >= 1 || (emax == 0 && spec.rule == ScaleRule::OcpFloor);
      return by_fields && (!spec.scale || *spec.scale == kE8M0);
    }
    return is_rounded_up_power || !spec.scale || RoundingPlan<float>::covers(*spec.scale, spec.scale_rounding);
  }
};

}  // namespace bitlaw
