// Rounding of float32 vectors, compiled once per instruction set: include it in files that use foreach_target.h.

#if defined(BITLAW_ROUND_VECTOR_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLAW_ROUND_VECTOR_INL
#undef BITLAW_ROUND_VECTOR_INL
#else
#define BITLAW_ROUND_VECTOR_INL
#endif

#include <hwy/highway.h>

#include <algorithm>

#include "core/base/check.h"
#include "core/format/rounding_plan.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using F32 = hn::CappedTag<float, 16>;
using U32 = hn::RebindToUnsigned<F32>;
using FloatVector = hn::Vec<F32>;
using BitVector = hn::Vec<U32>;
constexpr std::size_t kMostLanes = 16;

/// Rounds magnitudes m >= 0 as if the format's range went on. Above min_normal a normal float32 has the format's
/// exponent, and rounding is integer arithmetic on its bits, whose carry is the step to the next binade.
template <RoundingMode kRounding>
HWY_INLINE FloatVector round_unbounded(const RoundingPlan& plan, FloatVector m, BitVector random) {
  const F32 d;
  const U32 du;
  const auto min_normal = hn::Set(d, plan.min_normal);
  const auto magic = hn::Set(d, plan.subnormal_magic);
  const auto keep = hn::Set(du, plan.keep_mask);
  const auto bits = hn::BitCast(du, m);
  if constexpr (kRounding == RoundingMode::TiesToEven) {
    const auto last = hn::Xor(hn::ShiftRightSame(bits, plan.shift), hn::Set(du, plan.odd_flip));
    const auto odd = hn::And(last, hn::Set(du, 1U));
    const auto sum = hn::Add(hn::Add(bits, hn::Set(du, plan.half_minus_one)), odd);
    const auto normal = hn::BitCast(d, hn::And(sum, keep));
    const auto subnormal = hn::Sub(hn::Add(m, magic), magic);
    return hn::IfThenElse(hn::Lt(m, min_normal), subnormal, normal);
  } else if constexpr (kRounding == RoundingMode::TowardZero) {
    const auto normal = hn::BitCast(d, hn::And(bits, keep));
    const auto nearest = hn::Add(m, magic);
    // Where that went up, one ulp back: all ones is -1.
    const auto back = hn::VecFromMask(d, hn::Gt(hn::Sub(nearest, magic), m));
    const auto below = hn::BitCast(d, hn::Add(hn::BitCast(du, nearest), hn::BitCast(du, back)));
    return hn::IfThenElse(hn::Lt(m, min_normal), hn::Sub(below, magic), normal);
  } else {
    // m + min_normal aligns a subnormal magnitude to the exponent emin, rounded to 23 - m bits below its last one.
    const auto raised = hn::IfThenElseZero(hn::Lt(m, min_normal), min_normal);
    const auto aligned = hn::BitCast(du, hn::Add(m, raised));
    const auto noise = hn::ShiftRightSame(hn::ShiftRight<9>(random), 23 - plan.shift);
    return hn::Sub(hn::BitCast(d, hn::And(hn::Add(aligned, noise), keep)), raised);
  }
}

/// Rounds magnitudes and applies the overflow policy.
template <RoundingMode kRounding>
HWY_INLINE FloatVector round_magnitude(const RoundingPlan& plan, FloatVector m, BitVector random) {
  const F32 d;
  const auto rounded = round_unbounded<kRounding>(plan, m, random);
  return hn::IfThenElse(hn::Gt(rounded, hn::Set(d, plan.max)), hn::Set(d, plan.beyond), rounded);
}

/// The same where plan.is_plain. Rounding is monotone and keeps max, so saturation may come first. The nearest value
/// is then one exact addition away for normal and subnormal values alike: one ulp of m + 2^(e - m + 23) is the
/// format's ulp at exponent e.
template <RoundingMode kRounding>
HWY_INLINE FloatVector round_plain_magnitude(const RoundingPlan& plan, FloatVector m, BitVector random) {
  const F32 d;
  const U32 du;
  m = hn::Min(m, hn::Set(d, plan.max));
  if constexpr (kRounding == RoundingMode::TiesToEven) {
    const auto power = hn::And(m, hn::BitCast(d, hn::Set(du, 0x7F800000U)));
    const auto at_least = hn::BitCast(du, hn::Max(power, hn::Set(d, plan.min_normal)));
    const auto magic = hn::BitCast(d, hn::Add(at_least, hn::Set(du, plan.magic_exponent)));
    return hn::Sub(hn::Add(m, magic), magic);
  }
  return round_unbounded<kRounding>(plan, m, random);
}

/// Rounds values that are not NaN; signed formats only. kPlain: plan.is_plain.
template <RoundingMode kRounding, bool kPlain>
HWY_INLINE FloatVector round_value(const RoundingPlan& plan, FloatVector v, BitVector random) {
  if constexpr (kPlain) {
    return hn::CopySignToAbs(round_plain_magnitude<kRounding>(plan, hn::Abs(v), random), v);
  } else {
    const auto magnitude = round_magnitude<kRounding>(plan, hn::Abs(v), random);
    return hn::Add(hn::CopySignToAbs(magnitude, v), hn::Set(F32(), plan.added_zero));
  }
}

/// Calls f with the rounding and plan.is_plain as constants: f.template operator()<kRounding, kPlain>().
template <class F>
HWY_INLINE void with_constants(RoundingMode rounding, bool is_plain, const F& f) {
  switch (rounding) {
    case RoundingMode::TiesToEven:
      return is_plain ? f.template operator()<RoundingMode::TiesToEven, true>()
                      : f.template operator()<RoundingMode::TiesToEven, false>();
    case RoundingMode::TowardZero:
      return is_plain ? f.template operator()<RoundingMode::TowardZero, true>()
                      : f.template operator()<RoundingMode::TowardZero, false>();
    case RoundingMode::StochasticExact:
      return is_plain ? f.template operator()<RoundingMode::StochasticExact, true>()
                      : f.template operator()<RoundingMode::StochasticExact, false>();
    default:
      BITLAW_CHECK(false, "rounding mode {} has no kernel", static_cast<int>(rounding));
  }
}

/// The vector of random bits from index i on; without stochastic rounding `random` may be null.
template <RoundingMode kRounding>
HWY_INLINE BitVector load_random(const std::uint32_t* random, std::size_t i) {
  if constexpr (kRounding == RoundingMode::StochasticExact) return hn::LoadU(U32(), random + i);
  return hn::Zero(U32());
}

/// out[i] = f(x[i], i) in vectors, f(vector, index of its first element). Whatever f reads at an index must be
/// readable up to 15 elements past `count`.
template <class F>
HWY_INLINE void transform_vectors(const float* x, float* out, std::size_t count, const F& f) {
  const F32 d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(f(hn::LoadU(d, x + i), i), d, out + i);
  if (i < count) {
    float rest[kMostLanes] = {};
    std::copy(x + i, x + count, rest);
    hn::StoreU(f(hn::LoadU(d, rest), i), d, rest);
    std::copy_n(rest, count - i, out + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#endif
