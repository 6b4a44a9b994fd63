// Rounding of float32 and float64 vectors, compiled once per instruction set: include it in files that use
// foreach_target.h.

#if defined(BITLAW_ROUND_VECTOR_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLAW_ROUND_VECTOR_INL
#undef BITLAW_ROUND_VECTOR_INL
#else
#define BITLAW_ROUND_VECTOR_INL
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/format/quantize.h"
#include "core/format/random_fields.h"
#include "core/format/rounding_plan.h"
#include "core/format/transform-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
template <typename T>
using Tag = hn::CappedTag<T, 64 / sizeof(T)>;
template <typename T>
using BitTag = hn::RebindToUnsigned<Tag<T>>;
template <typename T>
using Vector = hn::Vec<Tag<T>>;
template <typename T>
using BitVector = hn::Vec<BitTag<T>>;
template <typename T>
constexpr std::size_t kMostLanes = 64 / sizeof(T);

/// All ones, which is -1, where the mask is set.
template <typename T, class M>
HWY_INLINE BitVector<T> minus_one_where(M mask) {
  return hn::BitCast(BitTag<T>(), hn::VecFromMask(Tag<T>(), mask));
}

/// A magnitude whose fraction f of the format's step fills the bits below the last one kept. m + min_normal puts
/// smaller magnitudes on the grid of min_normal, rounded to nearest; one bit back where that went up makes it a floor.
template <typename T>
struct Aligned {
  BitVector<T> bits;
  Vector<T> raise;    ///< what was added
  Vector<T> nearest;  ///< the magnitude on that grid; another than m where bits were lost
};

template <typename T>
HWY_INLINE Aligned<T> align(const RoundingPlan<T>& plan, Vector<T> m) {
  const Tag<T> d;
  const auto raise = hn::IfThenElseZero(hn::Lt(m, hn::Set(d, plan.min_normal)), hn::Set(d, plan.raise));
  const auto sum = hn::Add(m, raise);
  const auto nearest = hn::Sub(sum, raise);
  const BitTag<T> du;
  const auto bits = hn::BitCast(du, sum);
  const auto went_up = hn::RebindMask(du, hn::Gt(nearest, m));
  return {hn::IfThenElse(went_up, hn::Sub(bits, hn::Set(du, 1U)), bits), raise, nearest};
}

template <typename T>
HWY_INLINE Vector<T> drop(BitVector<T> bits, typename RoundingPlan<T>::Bits keep, Vector<T> raise) {
  return hn::Sub(hn::BitCast(Tag<T>(), hn::And(bits, hn::Set(BitTag<T>(), keep))), raise);
}

template <typename T>
HWY_INLINE Vector<T> add_increment(const typename RoundingPlan<T>::Increment& by, const Aligned<T>& at,
                                   BitVector<T> lost, BitVector<T> negative) {
  const BitTag<T> du;
  auto select = hn::Xor(hn::And(at.bits, hn::Set(du, by.parity)), hn::Set(du, by.flip));
  select = hn::Xor(select, hn::And(negative, hn::Set(du, by.sign_flip)));
  const auto is_odd = hn::TestBit(select, hn::Set(du, by.parity_bit));
  const auto even = hn::Sub(hn::Set(du, by.even), lost);
  return drop<T>(hn::Add(at.bits, hn::IfThenElse(is_odd, hn::Set(du, by.odd), even)), by.keep, at.raise);
}

/// Rounds magnitudes m as if the format's range went on. A carry out of f is the step up, into the next binade too.
/// `negative`: all ones where the value is.
template <typename T>
HWY_INLINE Vector<T> round_general(const RoundingPlan<T>& plan, Vector<T> m, BitVector<T> negative) {
  const auto at = align(plan, m);
  const auto lost = minus_one_where<T>(hn::Ne(at.nearest, m));
  const auto rounded = add_increment(plan.normal, at, lost, negative);
  if (!plan.differs_below) return rounded;
  return hn::IfThenElse(hn::Lt(m, hn::Set(Tag<T>(), plan.min_normal)), add_increment(plan.below, at, lost, negative),
                        rounded);
}

/// A rounded vector. Where `certain` is 0 its step is in doubt: there, the definition has to be asked.
template <typename T>
struct Rounded {
  Vector<T> value;
  BitVector<T> certain;
};

template <typename T>
HWY_INLINE Rounded<T> add_noise(const typename RoundingPlan<T>::Noise& by, const Aligned<T>& at, Vector<T> m,
                                BitVector<T> top_random) {
  const BitTag<T> du;
  auto bits = at.bits;
  if (by.coarse > 0) {
    // Nearest, ties to even, at the last of k bits of f; a bit lost further below decides a tie.
    const auto last = hn::And(hn::ShiftRightSame(bits, by.coarse), hn::Set(du, 1U));
    const auto lost = hn::IfThenElseZero(hn::RebindMask(du, hn::Ne(at.nearest, m)), hn::Set(du, 1U));
    const auto below_half = (static_cast<typename RoundingPlan<T>::Bits>(1) << (by.coarse - 1)) - 1;
    // The bits below stay: the random number has zeros there, so that they carry no further.
    bits = hn::Add(bits, hn::Add(hn::Set(du, below_half), hn::Or(last, lost)));
  }
  const auto sum = hn::Add(bits, hn::ShiftRightSame(top_random, by.shift));
  const auto certain = hn::Xor(hn::And(sum, hn::Set(du, by.doubt)), hn::Set(du, by.all_set));
  return {drop<T>(sum, by.keep, at.raise), certain};
}

/// The same with random bits, the fields of the elements.
template <typename T, bool kPlain>
HWY_INLINE Rounded<T> round_stochastic(const RoundingPlan<T>& plan, Vector<T> m, BitVector<T> fields) {
  const BitTag<T> du;
  const auto at = align(plan, m);
  const auto top = hn::Or(hn::And(fields, hn::Set(du, plan.field_keep)), hn::Set(du, plan.field_half));
  const auto rounded = add_noise<T>(plan.normal_noise, at, m, top);
  if (kPlain || !plan.differs_below) return rounded;
  const auto is_below = hn::Lt(m, hn::Set(Tag<T>(), plan.min_normal));
  const auto below = add_noise<T>(plan.below_noise, at, m, top);
  return {hn::IfThenElse(is_below, below.value, rounded.value),
          hn::IfThenElse(hn::RebindMask(du, is_below), below.certain, rounded.certain)};
}

/// round_stochastic for StochasticByte.
template <typename T>
HWY_INLINE Vector<T> round_by_bytes(const RoundingPlan<T>& plan, Vector<T> m, BitVector<T> top) {
  const BitTag<T> du;
  const auto at = align(plan, m);
  const auto random = hn::OrAnd(hn::Set(du, plan.field_half), top, hn::Set(du, plan.field_keep));
  return drop<T>(hn::Add(at.bits, hn::ShiftRightSame(random, plan.normal_noise.shift)), plan.normal_noise.keep,
                 at.raise);
}

/// Rounds m <= max where m + magic, magic = 2^(e - m + 23), has room: one ulp of that sum is the format's at exponent
/// e, so that one addition rounds to nearest, ties to even, normal and subnormal values alike.
template <RoundingKernel kKernel, typename T>
HWY_INLINE Vector<T> round_by_addition(const RoundingPlan<T>& plan, Vector<T> m) {
  const Tag<T> d;
  const BitTag<T> du;
  const auto one = hn::Set(du, 1U);
  // Beyond the middle by the last bit, ties go away from zero; at least two bits are dropped, so nothing else changes.
  if constexpr (kKernel == RoundingKernel::TiesToAway) m = hn::BitCast(d, hn::Or(hn::BitCast(du, m), one));
  const auto power = hn::And(m, hn::Inf(d));
  const auto at_least = hn::BitCast(du, hn::Max(power, hn::Set(d, plan.min_normal)));
  const auto magic = hn::BitCast(d, hn::Add(at_least, hn::Set(du, plan.magic_exponent)));
  const auto sum = hn::Add(m, magic);
  const auto nearest = hn::Sub(sum, magic);
  if constexpr (kKernel == RoundingKernel::TowardZero) {
    const auto sum_bits = hn::BitCast(du, sum);
    const auto went_up = hn::RebindMask(du, hn::Gt(nearest, m));
    return hn::Sub(hn::BitCast(d, hn::IfThenElse(went_up, hn::Sub(sum_bits, one), sum_bits)), magic);
  }
  return nearest;
}

/// Rounds m <= max to formats whose exponents are those of T, subnormal ones too, by a carry.
template <typename T>
HWY_INLINE Vector<T> round_on_bits(const RoundingPlan<T>& plan, Vector<T> m) {
  const BitTag<T> du;
  const auto bits = hn::BitCast(du, m);
  const auto odd = hn::And(hn::ShiftRightSame(bits, plan.dropped), hn::Set(du, plan.add_odd));
  const auto sum = hn::Add(hn::Add(bits, hn::Set(du, plan.add)), odd);
  return hn::BitCast(Tag<T>(), hn::And(sum, hn::Set(du, plan.normal.keep)));
}

/// A magnitude with the sign of v; zero has one only where the format has a minus zero.
template <typename T>
HWY_INLINE Vector<T> with_sign(const RoundingPlan<T>& plan, Vector<T> magnitude, Vector<T> v) {
  const auto value = hn::CopySignToAbs(magnitude, v);
  return plan.has_minus_zero ? value : hn::Add(value, hn::Zero(Tag<T>()));
}

/// Sign and range of a rounded magnitude, for every format and policy. v is not NaN.
template <typename T>
HWY_INLINE Vector<T> finish_general(const RoundingPlan<T>& plan, Vector<T> v, Vector<T> m, Vector<T> rounded,
                                    BitVector<T> negative) {
  const Tag<T> d;
  const auto is_negative = hn::MaskFromVec(hn::BitCast(d, negative));
  const auto by_sign = [&](const auto& pair)
                           HWY_ATTR { return hn::IfThenElse(is_negative, hn::Set(d, pair[1]), hn::Set(d, pair[0])); };
  if (!plan.has_zero) rounded = hn::Max(rounded, hn::Set(d, plan.min_normal));
  const auto out_of_range = hn::IfThenElse(hn::Eq(m, hn::Inf(d)), by_sign(plan.at_infinity), by_sign(plan.beyond));
  const auto is_out = hn::Gt(rounded, by_sign(plan.limit));
  const auto in_range = with_sign(plan, rounded, v);
  const auto result = hn::IfThenElse(is_out, out_of_range, in_range);
  if (plan.has_zero) return result;
  return hn::IfThenElse(hn::Eq(m, hn::Zero(d)), hn::Set(d, plan.zero), result);
}

/// Vectors of a loop with a step in doubt. They are noted and settled after the loop: a call inside would cost it all
/// its registers, however rarely it were made.
template <typename T>
struct Doubts {
  void note(Vector<T> v, std::size_t i) {
    hn::StoreU(v, Tag<T>(), values + i);
    at[count++] = static_cast<std::uint16_t>(i);
  }

  std::size_t count = 0;
  std::uint16_t at[RandomFields::kMostElements];          ///< index of the first element of each
  T values[RandomFields::kMostElements + kMostLanes<T>];  ///< what was to be rounded, at its index
};

/// Rounds the noted vectors by definition: store(value, i) for the elements with an index i < end that are not NaN.
template <typename T, class F>
HWY_NOINLINE void settle(const Doubts<T>& doubts, const LoopRandom& random, std::size_t end, const F& store) {
  const RoundingDefinition& by = *random.definition;
  for (std::size_t n = 0; n < doubts.count; ++n) {
    const std::size_t last = std::min<std::size_t>(end, doubts.at[n] + hn::Lanes(Tag<T>()));
    for (std::size_t i = doubts.at[n]; i < last; ++i) {
      if (std::isnan(doubts.values[i])) continue;
      store(quantize_element(by.spec, by.conversion, doubts.values[i], by.stream, random.first + i), i);
    }
  }
}

/// 32-bit words as the highest bits of lanes.
template <typename T, class V>
HWY_INLINE BitVector<T> widen_words(V words) {
  if constexpr (sizeof(T) == 8) {
    return hn::ShiftLeft<32>(hn::PromoteTo(BitTag<T>(), words));
  } else {
    return words;
  }
}

/// The random bytes at index i, each in the highest bits of its lane.
template <typename T>
HWY_INLINE BitVector<T> load_bytes(const std::uint8_t* fields, std::size_t i) {
  const hn::Rebind<std::uint32_t, Tag<T>> d32;
  const auto bytes = hn::LoadU(hn::Rebind<std::uint8_t, Tag<T>>(), fields + i);
  return widen_words<T>(hn::ShiftLeft<24>(hn::PromoteTo(d32, bytes)));
}

/// The same of fields of 8 or 16 bits.
template <typename T>
HWY_INLINE BitVector<T> load_fields(const RoundingPlan<T>& plan, const std::uint8_t* fields, std::size_t i) {
  const hn::Rebind<std::uint32_t, Tag<T>> d32;
  if (plan.field_bits == 8) return load_bytes<T>(fields, i);
  const auto halves =
      hn::LoadU(hn::Rebind<std::uint16_t, Tag<T>>(), reinterpret_cast<const std::uint16_t*>(fields) + i);
  return widen_words<T>(hn::ShiftLeft<16>(hn::PromoteTo(d32, halves)));
}

constexpr bool is_plain(RoundingKernel kernel) {
  return kernel != RoundingKernel::General && kernel != RoundingKernel::GeneralStochastic;
}
constexpr bool is_stochastic(RoundingKernel kernel) {
  return kernel == RoundingKernel::StochasticByte || kernel == RoundingKernel::Stochastic ||
         kernel == RoundingKernel::GeneralStochastic;
}

/// Rounds values that are not NaN; v holds the elements at index i and on of a loop. Only of StochasticByte and of what
/// is not stochastic `doubts` may be null.
template <RoundingKernel kKernel, typename T>
HWY_INLINE Vector<T> round_value(const RoundingPlan<T>& plan, Vector<T> v, const LoopRandom& random, std::size_t i,
                                 [[maybe_unused]] Doubts<T>* doubts = nullptr) {
  const Tag<T> d;
  auto m = hn::Abs(v);
  if constexpr (is_plain(kKernel)) m = hn::Min(m, hn::Set(d, plan.max));  // rounding is monotone and keeps max
  const auto negative = [&]() HWY_ATTR {
    return hn::BitCast(BitTag<T>(), hn::BroadcastSignBit(hn::BitCast(hn::RebindToSigned<Tag<T>>(), v)));
  };
  const auto finish = [&](Vector<T> rounded) HWY_ATTR {
    if constexpr (is_plain(kKernel)) {
      return with_sign(plan, rounded, v);
    } else {
      return finish_general(plan, v, m, rounded, negative());
    }
  };
  if constexpr (kKernel == RoundingKernel::StochasticByte) {
    return finish(round_by_bytes(plan, m, load_bytes<T>(random.fields, i)));
  } else if constexpr (is_stochastic(kKernel)) {
    const auto rounded = round_stochastic<T, is_plain(kKernel)>(plan, m, load_fields(plan, random.fields, i));
    if (plan.can_doubt) {
      const auto doubt = hn::RebindMask(d, hn::Eq(rounded.certain, hn::Zero(BitTag<T>())));
      if (HWY_UNLIKELY(!hn::AllFalse(d, doubt))) doubts->note(v, i);
    }
    return finish(rounded.value);
  } else if constexpr (kKernel == RoundingKernel::General) {
    return finish(round_general(plan, m, negative()));
  } else if constexpr (kKernel == RoundingKernel::OnBits) {
    return finish(round_on_bits(plan, m));
  } else {
    return finish(round_by_addition<kKernel>(plan, m));
  }
}

/// Calls f with the kernel as a constant: f.template operator()<kKernel>().
template <class F>
HWY_INLINE void with_kernel(RoundingKernel kernel, const F& f) {
  switch (kernel) {
    case RoundingKernel::Nearest:
      return f.template operator()<RoundingKernel::Nearest>();
    case RoundingKernel::TowardZero:
      return f.template operator()<RoundingKernel::TowardZero>();
    case RoundingKernel::TiesToAway:
      return f.template operator()<RoundingKernel::TiesToAway>();
    case RoundingKernel::OnBits:
      return f.template operator()<RoundingKernel::OnBits>();
    case RoundingKernel::General:
      return f.template operator()<RoundingKernel::General>();
    case RoundingKernel::StochasticByte:
      return f.template operator()<RoundingKernel::StochasticByte>();
    case RoundingKernel::Stochastic:
      return f.template operator()<RoundingKernel::Stochastic>();
    case RoundingKernel::GeneralStochastic:
      return f.template operator()<RoundingKernel::GeneralStochastic>();
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#endif
