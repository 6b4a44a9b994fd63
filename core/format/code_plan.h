#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>

#include "core/format/codes.h"
#include "core/format/format_spec.h"

namespace bitlaw {

/// The numbers of a format that turn its values into codes and back by integer arithmetic on the bits of W, float or
/// double. With M the fraction bits of W, a normal value has the code (bits >> (M - m)) - rebias. A smaller magnitude
/// is n 2^(emin - m), and n stands in the low bits of |v| + 2^(emin - m + M).
template <typename W>
struct CodePlan {
  using Bits = std::conditional_t<std::is_same_v<W, float>, std::uint32_t, std::uint64_t>;
  static constexpr int kBits = std::numeric_limits<Bits>::digits;
  static constexpr int kMantissaBits = std::numeric_limits<W>::digits - 1;
  static constexpr int kBias = std::numeric_limits<W>::max_exponent - 1;
  static constexpr Bits kInfinity = std::bit_cast<Bits>(std::numeric_limits<W>::infinity());

  W min_normal;         ///< 2^emin
  Bits first_normal;    ///< its code
  W magic;              ///< 2^(emin - m + M)
  Bits magic_bits;      ///< the bits of magic
  Bits subnormal_mask;  ///< clears the fraction where codes with field 0 are zero
  int shift;            ///< M - m
  Bits rebias;          ///< what a code is less than the bits that it has in common with a normal value
  Bits code_mask;       ///< all bits of a code
  Bits sign_mask;       ///< the sign bit of a code; 0 where there is none
  int sign_shift;       ///< from the sign bit of a code to that of W
  Bits magnitude_mask;  ///< the other bits
  Bits infinity_code;   ///< the magnitude of infinity, or what would be
  Bits last_number;     ///< the largest magnitude that is not NaN
  Bits nan_code;        ///< all ones where there is no NaN
  bool has_nan, has_specials, is_twos_complement;
  TopCodes top;

  /// Whether every finite value is a normal W, zero, or a sum that W adds without rounding.
  static bool covers(const FormatSpec& spec) {
    return spec.mantissa_bits <= kMantissaBits && spec.emin() > -kBias && spec.emax() <= kBias &&
           spec.emin() - spec.mantissa_bits + kMantissaBits <= kBias;
  }

  explicit CodePlan(const FormatSpec& spec)
      : min_normal(static_cast<W>(spec.min_normal())),
        first_normal(spec.has_zero ? Bits{1} << spec.mantissa_bits : 0),
        magic(static_cast<W>(pow2(spec.emin() - spec.mantissa_bits + kMantissaBits))),
        magic_bits(std::bit_cast<Bits>(magic)),
        subnormal_mask(spec.has_subnormals ? ~Bits{0} : 0),
        shift(kMantissaBits - spec.mantissa_bits),
        rebias(static_cast<Bits>(spec.emin() + kBias - (spec.has_zero ? 1 : 0)) << spec.mantissa_bits),
        code_mask(~Bits{0} >> (kBits - spec.total_bits())),
        sign_mask(spec.is_signed ? static_cast<Bits>(spec.magnitude_codes()) : 0),
        sign_shift(kBits - spec.total_bits()),
        magnitude_mask(static_cast<Bits>(spec.magnitude_codes() - 1)),
        infinity_code(static_cast<Bits>(spec.max_magnitude_code() + 1)),
        last_number(infinity_code - (spec.has_infinity() ? 0 : 1)),
        nan_code(static_cast<Bits>(bitlaw::nan_code(spec).value_or(~std::uint64_t{0}))),
        has_nan(spec.has_nan()),
        has_specials(spec.has_infinity() || spec.has_nan()),
        is_twos_complement(spec.is_twos_complement()),
        top(spec.top) {}
};

}  // namespace bitlaw
