#pragma once

#include <cstdint>
#include <limits>

#include "core/format/format_spec.h"
#include "core/format/rounding.h"

namespace bitlaw {

/// The numbers of a format that the vectorised rounding of round_vector-inl.h needs.
struct RoundingPlan {
  float min_normal;              ///< 2^emin
  float subnormal_magic;         ///< 2^(emin - m + 23): adding it to a smaller number rounds that to a multiple of
                                 ///< 2^(emin - m), because this is one ulp of the sum
  int shift;                     ///< 23 - m, bits of a float32 significand that a normal value drops, at least 1
  std::uint32_t keep_mask;       ///< clears those bits
  std::uint32_t half_minus_one;  ///< of the dropped bits
  std::uint32_t odd_flip;        ///< 1 where the last bit kept is the inverse of the code's (m = 0 and an even bias)
  float max;                     ///< largest finite value
  float beyond;                  ///< what a larger rounded magnitude becomes
  float added_zero;              ///< -0 leaves a minus zero alone, +0 turns it into +0
  std::uint32_t magic_exponent;  ///< bits that raise the exponent of a float32 from e to e - m + 23
  /// Whether the short way of round_vector-inl.h applies: overflow saturates, there is a minus zero and a fraction
  /// field, and e - m + 23 is an exponent of float32 for all e.
  bool is_plain;

  /// Whether the magnitudes of `spec` can be rounded by such a plan.
  static bool covers(const FormatSpec& spec, const Conversion& conversion) {
    const RoundingMode mode = conversion.rounding.mode;
    return spec.is_signed && covers(spec) && conversion.nan == NanPolicy::Propagate &&
           conversion.rounding.power_ties == PowerTies::EvenCode &&
           (conversion.overflow == Overflow::Saturate || conversion.overflow == Overflow::ToInfinity) &&
           (mode == RoundingMode::TiesToEven || mode == RoundingMode::TowardZero);
  }
  static bool covers(const FormatSpec& spec) {
    return spec.has_zero && !spec.is_twos_complement() && (spec.has_subnormals || spec.mantissa_bits == 0) &&
           spec.mantissa_bits <= 22 && spec.emin() >= -126 && spec.emin() <= 104;
  }

  RoundingPlan(const FormatSpec& spec, Overflow overflow)
      : min_normal(static_cast<float>(spec.min_normal())),
        subnormal_magic(static_cast<float>(pow2(spec.emin() - spec.mantissa_bits + 23))),
        shift(23 - spec.mantissa_bits),
        keep_mask(~((std::uint32_t{1} << shift) - 1)),
        half_minus_one((std::uint32_t{1} << (shift - 1)) - 1),
        odd_flip(spec.mantissa_bits == 0 && spec.bias % 2 == 0 ? 1 : 0),
        max(static_cast<float>(spec.max_finite())),
        beyond(overflow == Overflow::Saturate || !(spec.has_infinity() || spec.has_nan()) ? max
               : spec.has_infinity() ? std::numeric_limits<float>::infinity()
                                     : std::numeric_limits<float>::quiet_NaN()),
        added_zero(spec.has_minus_zero() ? -0.0F : 0.0F),
        magic_exponent(static_cast<std::uint32_t>(shift) << 23),
        is_plain(overflow == Overflow::Saturate && spec.has_minus_zero() && spec.mantissa_bits > 0 &&
                 spec.emax() + shift <= 127) {}
};

}  // namespace bitlaw
