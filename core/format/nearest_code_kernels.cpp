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

/// |x| is n steps of 2^(e - m) with n in the low bits of |x| + magic (round_by_addition), where e is its exponent and
/// at least emin. Its code is n + ((e - emin) << m): n has the bit m where the value is normal, and a carry out of n is
/// the step up to the next exponent. The plan is a copy: behind a reference its numbers could be those that the output
/// overwrites.
template <typename T, typename Code>
bool encode_nearest(const RoundingPlan<T> plan, const T* x, Code* codes, std::size_t count) {
  using Bits = typename RoundingPlan<T>::Bits;
  const Tag<T> d;
  const BitTag<T> du;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<Code, decltype(d)> dcode;
  const Bits least = std::bit_cast<Bits>(plan.min_normal);
  const auto max = hn::Set(d, plan.max);
  const auto min_normal = hn::Set(d, plan.min_normal);
  const auto magic_exponent = hn::Set(du, plan.magic_exponent);
  // Of the parts of a code that are the same for all: what to take off the sum's bits and the shifted exponent.
  const auto excess = hn::Set(du, static_cast<Bits>(plan.magic_exponent + (least >> plan.dropped)));
  const auto sign_mask = hn::Set(du, static_cast<Bits>(plan.spec.magnitude_codes()));
  const int sign_shift = RoundingPlan<T>::kBits - plan.spec.total_bits();
  auto most = hn::Zero(di);
  transform(d, dcode, x, codes, count, [&](auto v, std::size_t) HWY_ATTR {
    const auto magnitude = hn::Abs(v);
    most = hn::Max(most, hn::BitCast(di, magnitude));
    const auto m = hn::Min(magnitude, max);
    const auto power = hn::BitCast(du, hn::Max(hn::And(m, hn::Inf(d)), min_normal));
    const auto sum = hn::BitCast(du, hn::Add(m, hn::BitCast(d, hn::Add(power, magic_exponent))));
    const auto exponent = hn::Sub(hn::ShiftRightSame(power, plan.dropped), power);
    const auto code = hn::Sub(hn::Add(sum, exponent), excess);
    const auto sign = hn::And(hn::ShiftRightSame(hn::BitCast(du, v), sign_shift), sign_mask);
    return hn::TruncateTo(dcode, hn::Or(code, sign));
  });
  return static_cast<Bits>(hn::GetLane(hn::MaxOfLanes(di, most))) <=
         std::bit_cast<Bits>(std::numeric_limits<T>::infinity());
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
