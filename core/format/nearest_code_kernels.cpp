#include "core/format/nearest_code_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/format/nearest_code_kernels.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include "core/format/round_vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

/// The codes of values between min_normal and max, and of smaller ones, without a sign. By addition, |x| is n steps of
/// 2^(e - m) with n in the low bits of |x| + magic (round_by_addition), where e is its exponent and at least emin. Its
/// code is n + ((e - emin) << m): n has the bit m where the value is normal, and a carry out of n is the step up to the
/// next exponent.
template <RoundingKernel kKernel, typename T>
HWY_INLINE BitVector<T> magnitude_code(const RoundingPlan<T>& plan, Vector<T> m) {
  using Bits = typename RoundingPlan<T>::Bits;
  const Tag<T> d;
  const BitTag<T> du;
  if constexpr (kKernel == RoundingKernel::OnBits) {
    return hn::ShiftRightSame(hn::BitCast(du, round_on_bits(plan, m)), plan.dropped);
  } else {
    const auto power = hn::BitCast(du, hn::Max(hn::And(m, hn::Inf(d)), hn::Set(d, plan.min_normal)));
    const auto magic = hn::BitCast(d, hn::Add(power, hn::Set(du, plan.magic_exponent)));
    const auto sum = hn::BitCast(du, hn::Add(m, magic));
    const auto exponent = hn::Sub(hn::ShiftRightSame(power, plan.dropped), power);
    // What the codes of all have in common: to take off the sum's bits and the shifted exponent.
    const Bits least = std::bit_cast<Bits>(plan.min_normal);
    const auto excess = hn::Set(du, static_cast<Bits>(plan.magic_exponent + (least >> plan.dropped)));
    return hn::Sub(hn::Add(sum, exponent), excess);
  }
}

/// The plan is a copy: behind a reference its numbers could be those that the output overwrites.
template <RoundingKernel kKernel, typename T, typename Code>
bool encode_with(const RoundingPlan<T> plan, const T* x, Code* codes, std::size_t count) {
  using Bits = typename RoundingPlan<T>::Bits;
  const Tag<T> d;
  const BitTag<T> du;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<Code, decltype(d)> dcode;
  const auto max = hn::Set(d, plan.max);
  const auto sign_mask = hn::Set(du, static_cast<Bits>(plan.spec.magnitude_codes()));
  const int sign_shift = RoundingPlan<T>::kBits - plan.spec.total_bits();
  auto most = hn::Zero(di);
  const auto encode = [&](auto v, std::size_t) HWY_ATTR {
    const auto magnitude = hn::Abs(v);
    most = hn::Max(most, hn::BitCast(di, magnitude));
    const auto code = magnitude_code<kKernel>(plan, hn::Min(magnitude, max));
    return hn::TruncateTo(dcode, hn::OrAnd(code, hn::ShiftRightSame(hn::BitCast(du, v), sign_shift), sign_mask));
  };
  transform(d, dcode, x, codes, count, encode, Arrays::FetchedAhead);
  return static_cast<Bits>(hn::GetLane(hn::MaxOfLanes(di, most))) <=
         std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
}

template <typename T, typename Code>
bool encode_nearest(const RoundingPlan<T>& plan, const T* x, Code* codes, std::size_t count) {
  return plan.kernel == RoundingKernel::OnBits ? encode_with<RoundingKernel::OnBits>(plan, x, codes, count)
                                               : encode_with<RoundingKernel::Nearest>(plan, x, codes, count);
}

#define BITLAW_DEFINE(T, Code, name)                                                             \
  bool nearest_##name(const RoundingPlan<T>& plan, const T* x, Code* codes, std::size_t count) { \
    return encode_nearest(plan, x, codes, count);                                                \
  }
BITLAW_FOR_EACH_NEAREST_CODE_KERNEL(BITLAW_DEFINE)
#undef BITLAW_DEFINE

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

#define BITLAW_EXPORT(T, Code, name) HWY_EXPORT(nearest_##name);
BITLAW_FOR_EACH_NEAREST_CODE_KERNEL(BITLAW_EXPORT)
#undef BITLAW_EXPORT

}  // namespace

#define BITLAW_DEFINE(T, Code, name)                                                               \
  bool codes_of_nearest(const RoundingPlan<T>& plan, const T* x, Code* codes, std::size_t count) { \
    return HWY_DYNAMIC_DISPATCH(nearest_##name)(plan, x, codes, count);                            \
  }
BITLAW_FOR_EACH_NEAREST_CODE_KERNEL(BITLAW_DEFINE)
#undef BITLAW_DEFINE

}  // namespace bitlaw
#endif
