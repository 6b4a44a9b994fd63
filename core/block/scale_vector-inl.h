// Scales of many blocks in vectors, compiled once per instruction set: include it in files that use foreach_target.h.

#if defined(BITLAW_SCALE_VECTOR_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLAW_SCALE_VECTOR_INL
#undef BITLAW_SCALE_VECTOR_INL
#else
#define BITLAW_SCALE_VECTOR_INL
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <limits>

#include "core/block/block_plan.h"
#include "core/block/working_scales.h"
#include "core/format/round_vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {

using F32 = Tag<float>;
using U32 = BitTag<float>;
using FloatVector = Vector<float>;

constexpr std::uint32_t kInfinityBits = 0x7F800000;

/// The bits of |v|: as integers they order magnitudes, with NaN above infinity.
HWY_INLINE BitVector<float> magnitude_bits(FloatVector v) { return hn::BitCast(U32(), hn::Abs(v)); }

/// 2^(field - 127) for fields of E8M0: 2^-127 has no exponent field in float32, it is the subnormal 0x00400000.
template <class V>
HWY_INLINE FloatVector power_of_field(V field) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  field = hn::Min(hn::Max(field, hn::Zero(di)), hn::Set(di, 254));
  return hn::BitCast(d, hn::Max(hn::ShiftLeft<23>(field), hn::Set(di, 0x00400000)));
}

/// X = 2^e of OcpFloor, Ceil, Even and RoundUp; exponent fields and significands are compared as integers.
HWY_INLINE FloatVector power_of_two_scale(const BlockPlan& plan, FloatVector a) {
  const hn::RebindToSigned<F32> di;
  auto bits = hn::BitCast(di, a);
  if (plan.spec.rule == ScaleRule::Even) bits = hn::Add(bits, hn::Set(di, plan.half_place));
  auto field = hn::Sub(hn::ShiftRight<23>(bits), hn::Set(di, plan.emax));  // e + 127
  if (plan.spec.rule == ScaleRule::RoundUp || plan.spec.rule == ScaleRule::Ceil) {
    const auto significand = hn::And(bits, hn::Set(di, 0x007FFFFF));
    field = hn::Sub(field, hn::VecFromMask(di, hn::Gt(significand, hn::Set(di, plan.exact_significand))));
  }
  return power_of_field(field);
}

/// The least E8M0 value that is not below v.
HWY_INLINE FloatVector rounded_up_power(FloatVector v) {
  const hn::RebindToSigned<F32> di;
  const auto bits = hn::BitCast(di, v);
  const auto field = hn::ShiftRight<23>(bits);
  const auto significand = hn::And(bits, hn::Set(di, 0x007FFFFF));
  const auto exact = hn::IfThenElse(hn::Eq(field, hn::Zero(di)), hn::Set(di, 0x00400000), hn::Zero(di));
  return power_of_field(hn::Sub(field, hn::VecFromMask(di, hn::Gt(significand, exact))));
}

/// X of Divide and Reciprocal before it is rounded: the orders of block_scale.cpp.
HWY_INLINE FloatVector scaled_quotient(const BlockPlan& plan, FloatVector a) {
  const F32 d;
  const auto over_max = [&](FloatVector v) HWY_ATTR {
    return plan.spec.rule == ScaleRule::Divide ? hn::Div(v, hn::Set(d, plan.max))
                                               : hn::Mul(v, hn::Set(d, 1 / plan.max));
  };
  switch (plan.order) {
    case TensorOrder::Folded:
      return hn::Mul(a, hn::Set(d, plan.factor));
    case TensorOrder::Divisor:
      return hn::Div(over_max(a), hn::Set(d, plan.tensor.decode));
    case TensorOrder::TargetFirst:
      return hn::Div(hn::Mul(a, hn::Set(d, plan.factor)), hn::Set(d, plan.tensor.amax));
    case TensorOrder::ScaleLast:
      break;
  }
  return hn::Mul(over_max(a), hn::Set(d, plan.tensor.encode));
}

HWY_INLINE FloatVector rounded_scale(const BlockPlan& plan, FloatVector scale) {
  const F32 d;
  scale = hn::Max(scale, hn::Set(d, static_cast<float>(plan.spec.least_scale)));
  if (plan.is_rounded_up_power) return rounded_up_power(scale);
  if (!plan.scale) return scale;
  if (!plan.adds_to_round) return round_value<RoundingKernel::General>(*plan.scale, scale, {}, 0);
  return round_by_addition<RoundingKernel::Nearest>(*plan.scale, hn::Min(scale, hn::Set(d, plan.scale->max)));
}

/// X of a block whose statistic is a.
HWY_INLINE FloatVector scale_of(const BlockPlan& plan, FloatVector a, float factor) {
  const F32 d;
  const bool is_power = plan.spec.is_power_of_two_rule();
  if (!is_power && plan.spec.rule != ScaleRule::Projection) {
    return rounded_scale(plan, hn::Mul(scaled_quotient(plan, a), hn::Set(d, factor)));
  }
  const auto scaled = plan.order == TensorOrder::Divisor ? hn::Div(a, hn::Set(d, plan.tensor.decode))
                                                         : hn::Mul(a, hn::Set(d, plan.tensor.encode));
  if (!is_power) return rounded_scale(plan, scaled);
  return power_of_two_scale(plan, hn::Min(scaled, hn::Set(d, std::numeric_limits<float>::max())));
}

HWY_INLINE FloatVector encode_of(const BlockPlan& plan, FloatVector scale) {
  const F32 d;
  if (plan.spec.scaling == ElementScaling::Ratio) return hn::Div(hn::Set(d, plan.tensor.encode), scale);
  return hn::Div(hn::Set(d, 1.0F), hn::Mul(scale, hn::Set(d, plan.tensor.decode)));
}

HWY_INLINE FloatVector decode_of(const BlockPlan& plan, FloatVector scale) {
  const F32 d;
  if (plan.store == TensorStore::Divisor) return hn::Div(scale, hn::Set(d, plan.tensor.encode));
  if (plan.store == TensorStore::Multiplier) return hn::Mul(scale, hn::Set(d, plan.tensor.decode));
  return hn::Mul(hn::Mul(scale, hn::Set(d, plan.tensor.amax)), hn::Set(d, 1 / plan.target));
}

/// block_scale() for the first `count` blocks of `scales`; `factor` multiplies quotients before they are rounded.
template <std::int64_t kCount>
void compute_scales(const BlockPlan& plan, block_detail::Scales<kCount>& scales, std::int64_t count, float factor = 1) {
  if (!plan.vectorised_scales) {
    for (std::size_t b = 0; b < static_cast<std::size_t>(count); ++b) {
      const BlockScale scale = block_scale(plan.spec, plan.tensor, plan.clip * scales.amax[b]);
      scales.encode[b] = scale.encode;
      scales.decode[b] = scale.decode;
    }
    return;
  }
  const F32 d;
  const U32 du;
  const auto largest = hn::Set(d, std::numeric_limits<float>::max());
  const auto nan = hn::Set(d, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t b = 0; b < static_cast<std::size_t>(count); b += hn::Lanes(d)) {
    const auto a = hn::Mul(hn::LoadU(d, &scales.amax[b]), hn::Set(d, plan.clip));
    const auto finite = hn::RebindMask(d, hn::Lt(hn::BitCast(du, a), hn::Set(du, kInfinityBits)));
    auto scale = scale_of(plan, a, factor);
    if (plan.spec.zero_scale != ZeroScale::Keep) {
      const auto is_zero = hn::Or(hn::Eq(a, hn::Zero(d)), hn::Eq(scale, hn::Zero(d)));
      scale = hn::IfThenElse(is_zero, hn::Set(d, plan.of_zeros), scale);
    }
    hn::StoreU(scale, d, &scales.scale[b]);
    const auto encode = hn::Min(encode_of(plan, scale), largest);
    hn::StoreU(hn::IfThenElse(finite, encode, hn::Set(d, 1.0F)), d, &scales.encode[b]);
    hn::StoreU(hn::IfThenElse(finite, decode_of(plan, scale), nan), d, &scales.decode[b]);
  }
}

/// |q(x encode) X - x| of 4-over-6 for each element, or its square: scale_search.h.
HWY_INLINE FloatVector search_error(const BlockPlan& plan, FloatVector x, FloatVector encode, FloatVector scale) {
  const F32 d;
  auto value = hn::Mul(round_value<RoundingKernel::Nearest>(plan.judge, hn::Mul(x, encode), {}, 0), scale);
  if (plan.spec.tensor_target) {
    value = hn::Div(hn::Mul(value, hn::Set(d, plan.tensor.amax)), hn::Set(d, plan.target));
  }
  const auto error = hn::Sub(value, x);
  return plan.spec.search == ScaleSearch::FourOverSixMse ? hn::Mul(error, error) : hn::Abs(error);
}

/// The other candidate of 4-over-6: X4 of the blocks of `six`.
template <std::int64_t kCount>
void compute_fours(const BlockPlan& plan, const block_detail::Scales<kCount>& six, block_detail::Scales<kCount>& four,
                   std::int64_t count) {
  std::copy_n(six.amax.begin(), count, four.amax.begin());
  compute_scales(plan, four, count, 1.5F);
}

}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#endif
