#include "core/format/code_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/format/code_kernels.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include "core/format/transform-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <typename W>
using LanesOf = hn::CappedTag<W, 64 / sizeof(W)>;

/// What there is to do besides finite values of a sign-magnitude format.
enum class Extra {
  None,
  TwosComplement,
  NanAbove,          ///< no infinity, and NaN above the largest number of either sign, as in OCP's E4M3
  InfinityNanAbove,  ///< both there, as in IEEE 754
  Specials           ///< wherever they are
};

template <class D, class V>
HWY_INLINE auto widen(D d, V codes) {
  if constexpr (sizeof(hn::TFromV<V>) == sizeof(hn::TFromD<D>)) {
    return codes;
  } else if constexpr (sizeof(hn::TFromD<D>) == 8 && sizeof(hn::TFromV<V>) < 4) {
    return hn::PromoteTo(d, hn::PromoteTo(hn::Rebind<std::uint32_t, D>(), codes));
  } else {
    return hn::PromoteTo(d, codes);
  }
}

template <class D, class V>
HWY_INLINE auto narrow(D d, V bits) {
  if constexpr (sizeof(hn::TFromV<V>) == sizeof(hn::TFromD<D>)) {
    return bits;
  } else {
    return hn::TruncateTo(d, bits);
  }
}

/// -v mod 2^bits where s is all ones, v where it is 0.
template <class V>
HWY_INLINE V negate_if(V s, V v) {
  return hn::Sub(hn::Xor(v, s), s);
}

/// Magnitudes are below the sign bit, so that signed comparisons, which every instruction set has, are right.
template <class V>
HWY_INLINE auto is_less(V a, V b) {
  const hn::DFromV<V> du;
  const hn::RebindToSigned<decltype(du)> di;
  return hn::RebindMask(du, hn::Lt(hn::BitCast(di, a), hn::BitCast(di, b)));
}

/// All ones in lanes whose sign bit is set.
template <class V>
HWY_INLINE V spread_sign(V bits) {
  const hn::DFromV<V> du;
  const hn::RebindToSigned<decltype(du)> di;
  return hn::BitCast(du, hn::BroadcastSignBit(hn::BitCast(di, bits)));
}

template <Extra kExtra, typename W, class V>
HWY_INLINE auto code_of(const CodePlan<W>& plan, V v) {
  const LanesOf<W> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const auto bits = hn::BitCast(du, v);
  const auto magnitude = hn::Abs(v);
  const auto magnitude_bits = hn::BitCast(du, magnitude);
  const auto normal = hn::Sub(hn::ShiftRightSame(magnitude_bits, plan.shift), hn::Set(du, plan.rebias));
  const auto sum = hn::BitCast(du, hn::Add(magnitude, hn::Set(d, plan.magic)));
  const auto subnormal = hn::Sub(sum, hn::Set(du, plan.magic_bits));
  const auto is_subnormal = hn::RebindMask(du, hn::Lt(magnitude, hn::Set(d, plan.min_normal)));
  auto code = hn::IfThenElse(is_subnormal, subnormal, normal);
  if constexpr (kExtra == Extra::TwosComplement) {
    return hn::And(negate_if(spread_sign(bits), code), hn::Set(du, plan.code_mask));
  }
  const auto infinity = hn::Set(du, CodePlan<W>::kInfinity);
  if constexpr (kExtra == Extra::Specials) {
    code = hn::IfThenElse(hn::Eq(magnitude_bits, infinity), hn::Set(du, plan.infinity_code), code);
  }
  code = hn::Or(code, hn::ShiftRightSame(hn::Xor(bits, magnitude_bits), plan.sign_shift));
  if constexpr (kExtra == Extra::Specials) {
    code = hn::IfThenElse(is_less(infinity, magnitude_bits), hn::Set(du, plan.nan_code), code);
  }
  return code;
}

template <Extra kExtra, typename W, class V>
HWY_INLINE auto value_of(const CodePlan<W>& plan, V code) {
  using Bits = typename CodePlan<W>::Bits;
  const LanesOf<W> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const auto sign = hn::ShiftLeftSame(hn::And(code, hn::Set(du, plan.sign_mask)), plan.sign_shift);
  auto magnitude = hn::And(code, hn::Set(du, plan.magnitude_mask));
  if constexpr (kExtra == Extra::TwosComplement) {
    magnitude = hn::And(negate_if(spread_sign(sign), code), hn::Set(du, plan.code_mask));
  }
  const auto normal = hn::ShiftLeftSame(hn::Add(magnitude, hn::Set(du, plan.rebias)), plan.shift);
  const auto fraction = hn::And(magnitude, hn::Set(du, plan.subnormal_mask));
  const auto sum = hn::BitCast(d, hn::Or(fraction, hn::Set(du, plan.magic_bits)));
  const auto subnormal = hn::BitCast(du, hn::Sub(sum, hn::Set(d, plan.magic)));
  auto value = hn::IfThenElse(is_less(magnitude, hn::Set(du, plan.first_normal)), subnormal, normal);
  if constexpr (kExtra == Extra::InfinityNanAbove || kExtra == Extra::Specials) {
    const auto infinity = hn::Set(du, CodePlan<W>::kInfinity);
    value = hn::IfThenElse(hn::Eq(magnitude, hn::Set(du, plan.infinity_code)), infinity, value);
  }
  value = hn::Or(value, sign);
  if constexpr (kExtra >= Extra::NanAbove) {
    const auto nan = hn::Set(du, std::bit_cast<Bits>(std::numeric_limits<W>::quiet_NaN()));
    auto is_nan = is_less(hn::Set(du, plan.last_number), magnitude);
    if constexpr (kExtra == Extra::Specials) is_nan = hn::Or(is_nan, hn::Eq(code, hn::Set(du, plan.nan_code)));
    value = hn::IfThenElse(is_nan, nan, value);
  }
  return hn::BitCast(d, value);
}

/// Returns the bits of the largest magnitude, NaN above infinity. The plan is a copy: behind a reference its numbers
/// could be those that the output overwrites.
template <Extra kExtra, typename W, typename Code>
typename CodePlan<W>::Bits encode_values(const CodePlan<W> plan, const W* values, Code* codes, std::size_t count) {
  const LanesOf<W> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<Code, decltype(d)> dcode;
  auto most = hn::Zero(di);
  transform(d, dcode, values, codes, count, [&](auto v, std::size_t) HWY_ATTR {
    most = hn::Max(most, hn::BitCast(di, hn::Abs(v)));
    return narrow(dcode, code_of<kExtra>(plan, v));
  });
  return static_cast<typename CodePlan<W>::Bits>(hn::GetLane(hn::MaxOfLanes(di, most)));
}

/// Most arrays hold neither infinity nor NaN, so these are looked for only after one was met.
template <typename W, typename Code>
bool encode_kernel(const CodePlan<W>& plan, const W* values, Code* codes, std::size_t count) {
  const auto most = plan.is_twos_complement ? encode_values<Extra::TwosComplement>(plan, values, codes, count)
                                            : encode_values<Extra::None>(plan, values, codes, count);
  if (most < CodePlan<W>::kInfinity) return true;
  if (most > CodePlan<W>::kInfinity && !plan.has_nan) return false;
  encode_values<Extra::Specials>(plan, values, codes, count);
  return true;
}

/// Whether every code has at most the format's bits.
template <Extra kExtra, typename W, typename Code>
bool decode_values(const CodePlan<W> plan, const Code* codes, W* values, std::size_t count, bool past_caches) {
  const LanesOf<W> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const hn::Rebind<Code, decltype(d)> dcode;
  auto used = hn::Zero(du);
  transform(
      dcode, d, codes, values, count,
      [&](auto code, std::size_t) HWY_ATTR {
        const auto wide = widen(du, code);
        used = hn::Or(used, wide);
        return value_of<kExtra>(plan, wide);
      },
      arrays(past_caches));
  return hn::AllTrue(du, hn::Eq(hn::AndNot(hn::Set(du, plan.code_mask), used), hn::Zero(du)));
}

template <typename W, typename Code>
bool decode_kernel(const CodePlan<W>& plan, const Code* codes, W* values, std::size_t count, bool past_caches) {
  if (plan.is_twos_complement) return decode_values<Extra::TwosComplement>(plan, codes, values, count, past_caches);
  if (!plan.has_specials) return decode_values<Extra::None>(plan, codes, values, count, past_caches);
  switch (plan.top) {
    case TopCodes::NanOnly:
      return decode_values<Extra::NanAbove>(plan, codes, values, count, past_caches);
    case TopCodes::Ieee:
      return decode_values<Extra::InfinityNanAbove>(plan, codes, values, count, past_caches);
    default:
      return decode_values<Extra::Specials>(plan, codes, values, count, past_caches);
  }
}

#define BITLAW_DEFINE(W, Code, name)                                                                               \
  bool encode_##name(const CodePlan<W>& plan, const W* values, Code* codes, std::size_t count) {                   \
    return encode_kernel(plan, values, codes, count);                                                              \
  }                                                                                                                \
  bool decode_##name(const CodePlan<W>& plan, const Code* codes, W* values, std::size_t count, bool past_caches) { \
    return decode_kernel(plan, codes, values, count, past_caches);                                                 \
  }
BITLAW_FOR_EACH_CODE_KERNEL(BITLAW_DEFINE)
#undef BITLAW_DEFINE

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

#define BITLAW_EXPORT(W, Code, name) \
  HWY_EXPORT(encode_##name);         \
  HWY_EXPORT(decode_##name);
BITLAW_FOR_EACH_CODE_KERNEL(BITLAW_EXPORT)
#undef BITLAW_EXPORT

}  // namespace

#define BITLAW_DEFINE(W, Code, name)                                                                                 \
  bool codes_of_values(const CodePlan<W>& plan, const W* values, Code* codes, std::size_t count) {                   \
    return HWY_DYNAMIC_DISPATCH(encode_##name)(plan, values, codes, count);                                          \
  }                                                                                                                  \
  bool values_of_codes(const CodePlan<W>& plan, const Code* codes, W* values, std::size_t count, bool past_caches) { \
    return HWY_DYNAMIC_DISPATCH(decode_##name)(plan, codes, values, count, past_caches);                             \
  }
BITLAW_FOR_EACH_CODE_KERNEL(BITLAW_DEFINE)
#undef BITLAW_DEFINE

}  // namespace bitlaw
#endif
