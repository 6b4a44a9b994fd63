#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "core/format/format_spec.h"
#include "core/format/rounding.h"

namespace bitlaw {

/// The loops that round_vector-inl.h has. Plain formats are signed ones with zero, subnormals and as many negative as
/// positive values, which a conversion saturates and whose NaN it leaves alone.
enum class RoundingKernel : std::uint8_t {
  Nearest,            ///< plain, ties to even, with room for an addition
  TowardZero,         ///< the same, toward zero
  TiesToAway,         ///< the same, ties to away
  OnBits,             ///< plain, one of the three above, the least exponent is that of the floating-point type
  General,            ///< every format, every rounding that is not stochastic
  StochasticByte,     ///< plain, StochasticA or B of at most 8 bits, which no step can be left in doubt by
  Stochastic,         ///< plain, every other stochastic one
  GeneralStochastic,  ///< every format, stochastic
};

/// The numbers that rounding vectors of T to a format needs; round_vector-inl.h says what is done with them. T is float
/// or double, with kFraction bits of fraction.
///
/// A magnitude is given as bits of T: a normal number as it is, a smaller one as min_normal plus it. Then the format's
/// significand ends at bit `dropped`, and all bits below it are the fraction f of the step, rounded down.
template <typename T>
struct RoundingPlan {
  using Bits = std::conditional_t<std::is_same_v<T, float>, std::uint32_t, std::uint64_t>;
  static constexpr int kFraction = std::numeric_limits<T>::digits - 1;
  static constexpr int kLeastExponent = std::numeric_limits<T>::min_exponent - 1;
  static constexpr int kBits = 8 * static_cast<int>(sizeof(T));

  /// What is added to the bits before those below the last one kept are cleared. `odd` where (bits & parity) ^ flip,
  /// for negative values ^ sign_flip too, has the bit `parity_bit`; else `even`, plus one where bits were lost below f.
  struct Increment {
    Bits parity, flip, sign_flip, parity_bit, even, odd, keep;
  };
  /// The random number is shifted to the highest bits, cut to k bits, joined by `half` and shifted right by `shift`.
  /// Then it is added, and a carry out of f is the step up. `doubt`: bits of the sum which, all set, leave the step to
  /// bits that were not added; 0: none can. `coarse`: bits of f that StochasticC rounds away first.
  struct Noise {
    int shift, coarse;
    Bits doubt, all_set, keep;
  };

  RoundingKernel kernel;
  T min_normal;         ///< 2^emin
  T raise;              ///< what is added to a smaller magnitude: min_normal, or 0 where both have the same exponents
  T max;                ///< largest finite value
  bool has_room;        ///< whether magnitudes up to max can be rounded to nearest by adding 2^(e - m + kFraction)
  Bits magic_exponent;  ///< bits that raise the exponent of T from e to e - m + kFraction
  Bits add, add_odd;    ///< OnBits: what is added to the bits before the dropped ones are cleared, and in addition
                        ///< where the last bit kept is 1
  int dropped;          ///< kFraction - m, at least 1
  bool differs_below;   ///< smaller magnitudes than min_normal have another step: zero and min_normal are neighbours
  Increment normal, below;
  bool has_minus_zero;

  int field_bits;  ///< random bits per element that are loaded: 8 or 16
  Bits field_keep, field_half;
  Noise normal_noise, below_noise;
  bool can_doubt;

  // Positive and negative.
  std::array<T, 2> limit;        ///< largest magnitude; none is below the negative one of unsigned formats
  std::array<T, 2> beyond;       ///< what a finite value becomes whose rounded magnitude is larger
  std::array<T, 2> at_infinity;  ///< what infinity becomes
  bool has_zero;
  T zero;  ///< what zero becomes where the format has none
  bool keeps_nan;
  T nan;  ///< what a NaN becomes otherwise

  FormatSpec spec;
  Conversion conversion;

  /// Whether vectors of T can be rounded to `spec`.
  static bool covers(const FormatSpec& spec, const Rounding& rounding);
  RoundingPlan(const FormatSpec& spec, const Conversion& conversion);

 private:
  bool is_plain() const;
  RoundingKernel choose_kernel() const;
  Increment increment(int bits_dropped, bool is_below) const;
  Noise noise(int bits_dropped) const;
  void plan_random_field();
  void plan_range();
};

extern template struct RoundingPlan<float>;
extern template struct RoundingPlan<double>;

/// Random bits of each element that kernels load, from which R is cut (stochastic_random() in quantize.h). Where they
/// leave a step open, the definition is asked.
constexpr int random_field_bits(const Rounding& rounding) {
  return rounding.may_need_more_bits() || rounding.bits > 8 ? 16 : 8;
}

}  // namespace bitlaw
