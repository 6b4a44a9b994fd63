#pragma once

#include <array>
#include <cstdint>

#include "core/base/enum_name.h"

namespace bitlaw {

/// Rounding of v to a neighbour. `lo` <= |v| <= `hi` are the magnitudes of its neighbours in the format, as if its
/// range went on above the largest finite value; f = (|v| - lo) / (hi - lo). R is uniform in [0, 2^k), k =
/// Rounding::bits. Names and formulas: IEEE 754-2019 §4.3; IEEE P3109 interim report v4.0 §4.7.4. A value of the format
/// never moves.
enum class RoundingMode : std::uint8_t {
  TiesToEven,       ///< nearest; at the midpoint, the even code
  TiesToAway,       ///< nearest; at the midpoint, `hi`
  TiesTowardZero,   ///< nearest; at the midpoint, `lo` (IEEE 754-2019 §9.5)
  TowardZero,       ///< `lo`
  TowardPositive,   ///< `hi` where v > 0, `lo` where v < 0
  TowardNegative,   ///< `lo` where v > 0, `hi` where v < 0
  ToOdd,            ///< the neighbour whose code is odd
  StochasticA,      ///< `hi` when floor(f 2^k) + R >= 2^k: E[result] is up to 2^-k of their distance too small
  StochasticB,      ///< `hi` when floor(f 2^(k+1)) + 2 R + 1 >= 2^(k+1): half of that bias at most
  StochasticC,      ///< `hi` when RNE(f 2^k) + R >= 2^k: as B, and no bias on average over values of more bits
  StochasticExact,  ///< `hi` when f + U >= 1, U uniform in [0, 1) with as many bits as f has: E[result] == v
};

constexpr bool is_stochastic(RoundingMode mode) { return mode >= RoundingMode::StochasticA; }

/// Which power of two is the nearest in a format without mantissa bits (E8M0, E3M0); `hi` is 2 `lo`. The field has
/// three answers. Between zero and the least positive value the first holds always: zero has the even code.
enum class PowerTies : std::uint8_t {
  EvenCode,  ///< the middle is 1.5 `lo`; there, the even exponent code (IEEE P3109 v4.0 §4.7.4, CodeIsEven for P = 1)
  Larger,    ///< the middle is 1.5 `lo`; there, `hi`: a significand of 1 is odd (ml_dtypes)
  Logarithmic,  ///< `hi` from sqrt(2) `lo` on: nearest in log2 |v| (MLX)
};

/// A rounding with its parameters.
struct Rounding {
  RoundingMode mode = RoundingMode::TiesToEven;
  int bits = 0;                                ///< k of StochasticA, B and C, 1-32; 0 for the others
  PowerTies power_ties = PowerTies::EvenCode;  ///< for TiesToEven only

  constexpr Rounding() = default;
  constexpr Rounding(RoundingMode m, int k = 0, PowerTies ties = PowerTies::EvenCode)
      : mode(m), bits(k), power_ties(ties) {}

  constexpr bool is_stochastic() const { return bitlaw::is_stochastic(mode); }
  /// Whether more than 16 random bits may be needed for an element: exact_random_word() in quantize.h.
  constexpr bool may_need_more_bits() const { return mode == RoundingMode::StochasticExact || bits > 16; }
  /// Whether `bits` is in the range of `mode`.
  constexpr bool is_valid() const {
    const bool needs_bits = is_stochastic() && mode != RoundingMode::StochasticExact;
    return needs_bits ? bits >= 1 && bits <= 32 : bits == 0;
  }
  friend constexpr bool operator==(const Rounding&, const Rounding&) = default;
};

/// What becomes of a value that rounding, as if the range went on, took beyond the largest finite one. "infinity" means
/// NaN in formats that have only that, and the largest value in formats with neither.
/// Below the range of an unsigned format (v < 0, unless it rounds to zero) Saturate and Propagate give the least value,
/// ToInfinity NaN, and ByDirection the least value where a finite v is rounded toward it, else NaN. In a format without
/// zero, zero becomes the least value (Saturate, Propagate) or NaN, and smaller magnitudes than the least become that.
enum class Overflow : std::uint8_t {
  Saturate,     ///< the largest finite value, infinity too (IEEE P3109 SatFinite)
  Propagate,    ///< the largest finite value, but infinity stays infinity where the format has one (SatPropagate)
  ToInfinity,   ///< infinity, whatever the direction of rounding
  ByDirection,  ///< IEEE 754-2019 §7.4: the largest finite value where the rounding goes toward zero for this sign, and
                ///< with ToOdd where its code is odd; else infinity (SatNone of extended formats)
};

/// What a NaN becomes.
enum class NanPolicy : std::uint8_t {
  Propagate,  ///< NaN; as float32 or float64 also in formats that have none, where encoding refuses it
  ToZero,     ///< +0 (ml_dtypes in formats without NaN); in a format without zero, as ToMax
  ToMax,      ///< the largest finite value (NVIDIA PTX cvt.satfinite to e2m1, MLX)
};

/// All choices of a conversion to a format: round, then saturate, then encode.
struct Conversion {
  Rounding rounding;
  Overflow overflow = Overflow::Saturate;
  NanPolicy nan = NanPolicy::Propagate;

  constexpr Conversion() = default;
  constexpr Conversion(Rounding r, Overflow o = Overflow::Saturate, NanPolicy n = NanPolicy::Propagate)
      : rounding(r), overflow(o), nan(n) {}
  constexpr Conversion(RoundingMode m, Overflow o = Overflow::Saturate, NanPolicy n = NanPolicy::Propagate)
      : Conversion(Rounding(m), o, n) {}
  friend constexpr bool operator==(const Conversion&, const Conversion&) = default;
};

inline constexpr std::array<EnumName<RoundingMode>, 11> kRoundingModeNames{{
    {"ties_to_even", RoundingMode::TiesToEven},
    {"ties_to_away", RoundingMode::TiesToAway},
    {"ties_toward_zero", RoundingMode::TiesTowardZero},
    {"toward_zero", RoundingMode::TowardZero},
    {"toward_positive", RoundingMode::TowardPositive},
    {"toward_negative", RoundingMode::TowardNegative},
    {"to_odd", RoundingMode::ToOdd},
    {"stochastic_a", RoundingMode::StochasticA},
    {"stochastic_b", RoundingMode::StochasticB},
    {"stochastic_c", RoundingMode::StochasticC},
    {"stochastic_exact", RoundingMode::StochasticExact},
}};
inline constexpr std::array<EnumName<PowerTies>, 3> kPowerTiesNames{
    {{"even_code", PowerTies::EvenCode}, {"larger", PowerTies::Larger}, {"logarithmic", PowerTies::Logarithmic}}};
inline constexpr std::array<EnumName<Overflow>, 4> kOverflowNames{{{"saturate", Overflow::Saturate},
                                                                   {"propagate", Overflow::Propagate},
                                                                   {"infinity", Overflow::ToInfinity},
                                                                   {"by_direction", Overflow::ByDirection}}};
inline constexpr std::array<EnumName<NanPolicy>, 3> kNanPolicyNames{
    {{"propagate", NanPolicy::Propagate}, {"zero", NanPolicy::ToZero}, {"max", NanPolicy::ToMax}}};

}  // namespace bitlaw
