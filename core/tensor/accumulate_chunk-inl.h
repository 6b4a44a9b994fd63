// One chunk of K of the accumulator models in vectors, every lane a dot product of its own summed in the order of the
// model; compiled once per instruction set: include it in files that use foreach_target.h. Running sums are float32,
// which holds every value of the formats allowed.

#if defined(BITLAW_ACCUMULATE_CHUNK_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLAW_ACCUMULATE_CHUNK_INL
#undef BITLAW_ACCUMULATE_CHUNK_INL
#else
#define BITLAW_ACCUMULATE_CHUNK_INL
#endif

#include <hwy/highway.h>

#include <algorithm>

#include "core/tensor/accumulate_gemm_plan.h"

#if HWY_TARGET != HWY_SCALAR  // one lane of float32 holds no double
HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using DI = hn::RebindToSigned<D>;
using DD = hn::Repartition<double, D>;  // half as many lanes
using DL = hn::RebindToSigned<DD>;
using DH = hn::Rebind<float, DD>;            // the floats that fill a vector of doubles
using DH32 = hn::Rebind<std::int32_t, DD>;   // the integers that do
using D8 = hn::Repartition<std::int8_t, D>;  // as many lanes as a tile has columns
using DQ = hn::Rebind<std::int8_t, DI>;
using V = hn::Vec<D>;
using VI = hn::Vec<DI>;
using VD = hn::Vec<DD>;

constexpr int kVectors = 4;
constexpr int kHalves = 2 * kVectors;
constexpr int kMostLanes = 16;

/// The operands of one tile: a_row [k], b [k, columns] with contiguous rows; exponents as relative_exponent has them.
struct Tile {
  const float* a;
  const std::int8_t* a_exponent;
  const float* b;
  const std::int8_t* b_exponent;
};

HWY_INLINE VD low_half(V v) { return hn::PromoteTo(DD(), hn::LowerHalf(DH(), v)); }
HWY_INLINE VD high_half(V v) { return hn::PromoteTo(DD(), hn::UpperHalf(DH(), v)); }
HWY_INLINE V join_halves(VD low, VD high) {
  return hn::Combine(D(), hn::DemoteTo(DH(), high), hn::DemoteTo(DH(), low));
}

/// round_reference on doubles, for the formats and roundings that plan_accumulation admits.
HWY_INLINE VD round_to(const RoundingByAddition& plan, VD t) {
  const DD d;
  const auto infinity = hn::Inf(d);
  const auto size = hn::Abs(t);
  const auto power = hn::Max(hn::And(size, infinity), hn::Set(d, plan.min_normal));  // an infinity is all exponent
  const auto magic = hn::Mul(power, hn::Set(d, plan.magic));
  auto rounded = hn::Sub(hn::Add(size, magic), magic);
  auto limit = hn::Set(d, plan.beyond);
  if (plan.toward_zero) {
    const auto back = hn::IfThenElseZero(hn::Gt(rounded, size), hn::Mul(power, hn::Set(d, plan.ulp)));
    rounded = hn::Sub(rounded, back);
    limit = hn::IfThenElse(hn::Eq(size, infinity), limit, hn::Set(d, plan.max));
  }
  const auto over = hn::Or(hn::Gt(rounded, hn::Set(d, plan.max)), hn::Eq(size, infinity));
  return hn::CopySign(hn::IfThenElse(over, limit, rounded), t);
}

/// x + y rounded to odd: see accumulate_gemm_reference.cpp.
HWY_INLINE VD add_to_odd(VD x, VD y) {
  const DD d;
  const DL dl;
  const auto sum = hn::Add(x, y);
  const auto of_y = hn::Sub(sum, x);
  const auto lost = hn::Add(hn::Sub(x, hn::Sub(sum, of_y)), hn::Sub(y, of_y));
  const auto bits = hn::BitCast(dl, sum);
  const auto is_even = hn::Eq(hn::And(bits, hn::Set(dl, 1)), hn::Zero(dl));
  const auto moves = hn::And(hn::RebindMask(dl, hn::Gt(hn::Abs(lost), hn::Zero(d))), is_even);  // never for NaN
  const auto away = hn::BroadcastSignBit(hn::BitCast(dl, hn::Xor(sum, lost)));  // -1 where `lost` shrinks the sum
  const auto step = hn::Or(away, hn::Set(dl, 1));
  return hn::BitCast(d, hn::Add(bits, hn::IfThenElseZero(moves, step)));
}

HWY_INLINE VD add_rounded(const RoundingByAddition& plan, VD x, VD y) { return round_to(plan, add_to_odd(x, y)); }

HWY_INLINE V add_rounded(const RoundingByAddition& plan, V x, V y) {
  if (plan.is_binary32) return hn::Add(x, y);
  return join_halves(add_rounded(plan, low_half(x), low_half(y)), add_rounded(plan, high_half(x), high_half(y)));
}

/// s <- s + a b, both rounded in float32.
HWY_INLINE void sum_float32(const Tile& tile, std::int64_t first, std::int64_t last, V* sum) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  V s[kVectors];
  for (int v = 0; v < kVectors; ++v) s[v] = hn::Zero(d);
  for (std::int64_t k = first; k < last; ++k) {
    const auto a = hn::Set(d, tile.a[k]);
    const float* b = tile.b + k * kVectors * lanes;
    for (int v = 0; v < kVectors; ++v) s[v] = hn::Add(s[v], hn::Mul(a, hn::LoadU(d, b + v * lanes)));
  }
  for (int v = 0; v < kVectors; ++v) sum[v] = s[v];
}

/// s <- s + a b in another format, the product exact or rounded.
HWY_INLINE void sum_rounded(const AccumulatePlan& plan, const Tile& tile, std::int64_t first, std::int64_t last,
                            V* sum) {
  const DD d;
  const DH dh;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const bool round_product = plan.spec->product == ProductRounding::Rounded;
  VD s[kHalves];
  for (int h = 0; h < kHalves; ++h) s[h] = hn::Zero(d);
  for (std::int64_t k = first; k < last; ++k) {
    const auto a = hn::Set(d, static_cast<double>(tile.a[k]));
    const float* b = tile.b + k * kHalves * lanes;
    for (int h = 0; h < kHalves; ++h) {
      auto product = hn::Mul(a, hn::PromoteTo(d, hn::LoadU(dh, b + h * lanes)));
      if (round_product) product = round_to(plan.sum, product);
      s[h] = add_rounded(plan.sum, s[h], product);
    }
  }
  for (int v = 0; v < kVectors; ++v) sum[v] = join_halves(s[2 * v], s[2 * v + 1]);
}

/// The running sum and the sum of a group, by the spec's RunningSum, and the rounding of the result.
HWY_INLINE VD join_group(const AccumulatePlan& plan, VD running, VD group) {
  if (plan.spec->running == RunningSum::After) group = round_to(plan.group_sum, group);
  return add_rounded(plan.between, running, group);
}

HWY_INLINE void add_exact_group(const AccumulatePlan& plan, const Tile& tile, std::int64_t first, std::int64_t last,
                                V* running) {
  const DD d;
  const DH dh;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  VD group[kHalves];
  for (int h = 0; h < kHalves; ++h) group[h] = hn::Zero(d);
  for (std::int64_t k = first; k < last; ++k) {
    const auto a = hn::Set(d, static_cast<double>(tile.a[k]));
    const float* b = tile.b + k * kHalves * lanes;
    // Exact, whether fused or not.
    for (int h = 0; h < kHalves; ++h)
      group[h] = hn::MulAdd(a, hn::PromoteTo(d, hn::LoadU(dh, b + h * lanes)), group[h]);
  }
  for (int v = 0; v < kVectors; ++v) {
    running[v] = join_halves(join_group(plan, low_half(running[v]), group[2 * v]),
                             join_group(plan, high_half(running[v]), group[2 * v + 1]));
  }
}

/// The largest relative exponent of the tile's products, one per column.
HWY_INLINE void largest_exponents(const Tile& tile, std::int64_t first, std::int64_t last, std::int8_t* out) {
  const D8 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto largest = hn::Set(d, kZeroExponent);
  for (std::int64_t k = first; k < last; ++k) {
    const auto sum = hn::SaturatedAdd(hn::Set(d, tile.a_exponent[k]), hn::LoadU(d, tile.b_exponent + k * lanes));
    largest = hn::Max(largest, sum);
  }
  hn::StoreU(largest, d, out);
}

/// The bits of 2^E as float32 for one vector of columns, E of AccumulatorSpec.
HWY_INLINE VI alignment_power(const AccumulatePlan& plan, const std::int8_t* largest, V running) {
  const DI d;
  const auto relative = hn::PromoteTo(d, hn::LoadU(DQ(), largest));
  const auto is_zero = hn::Eq(relative, hn::Set(d, kZeroExponent));
  const auto biased = hn::Add(relative, hn::Set(d, plan.a.largest + plan.b.largest + 127));
  const auto of_products = hn::ShiftLeft<23>(hn::IfThenZeroElse(is_zero, biased));
  const auto least = hn::Set(d, (plan.spec->alignment_bits + 1) << 23);  // not reached where a term is not zero
  auto power = hn::Max(of_products, least);
  if (plan.spec->running == RunningSum::Aligned) {
    auto own = hn::And(hn::BitCast(d, running), hn::Set(d, 0x7F800000));
    if (!plan.truncates_float) {  // the running sum's format has a larger least exponent than float32
      const auto at_least = hn::Max(own, hn::Set(d, (plan.spec->between.emin() + 127) << 23));
      own = hn::BitCast(d, hn::IfThenZeroElse(hn::Eq(running, hn::Zero(D())), hn::BitCast(D(), at_least)));
    }
    power = hn::Max(power, own);
  }
  return power;
}

/// x, whose magnitude is below 2^31, to an integer, to nearest or toward zero.
template <bool kNearest>
HWY_INLINE VI to_integer(V x) {
#if HWY_TARGET <= HWY_AVX3  // Highway's conversions would spend four steps more on numbers out of range
  return VI{kNearest ? _mm512_cvtps_epi32(x.raw) : _mm512_cvttps_epi32(x.raw)};
#else
  return kNearest ? hn::NearestInt(x) : hn::ConvertTo(DI(), x);
#endif
}

/// Sums of aligned terms as integers: low alone, or low + 2^kLowBits high with low not negative.
struct IntegerSums {
  VI low[kVectors], high[kVectors];
};

/// Moves the parts of `sum` to the sums in two.
HWY_INLINE void move_part(VI& sum, VI& low, VI& high) {
  const DI d;
  low = hn::Add(low, hn::And(sum, hn::Set(d, (1 << kLowBits) - 1)));
  high = hn::Add(high, hn::ShiftRight<kLowBits>(sum));
  sum = hn::Zero(d);
}

/// Adds the terms of a group to `sum`, the integer of the running sum.
template <bool kInTwo, bool kNearest>
HWY_INLINE IntegerSums sum_integers(const AccumulatePlan& plan, const Tile& tile, std::int64_t first, std::int64_t last,
                                    const V* scale, VI* sum) {
  const D d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  IntegerSums parts;
  for (int v = 0; v < kVectors; ++v) parts.low[v] = parts.high[v] = hn::Zero(DI());
  while (first < last) {
    const std::int64_t end = kInTwo ? std::min(last, first + plan.products_per_part) : last;
    for (; first < end; ++first) {
      const auto a = hn::Set(d, tile.a[first]);
      const float* b = tile.b + first * kVectors * lanes;
      for (int v = 0; v < kVectors; ++v) {
        const auto x = hn::Mul(hn::Mul(a, hn::LoadU(d, b + v * lanes)), scale[v]);  // exact, or far below 1/2
        sum[v] = hn::Add(sum[v], to_integer<kNearest>(x));
      }
    }
    for (int v = 0; kInTwo && v < kVectors; ++v) move_part(sum[v], parts.low[v], parts.high[v]);
  }
  for (int v = 0; !kInTwo && v < kVectors; ++v) parts.low[v] = sum[v];
  return parts;
}

#if HWY_TARGET <= HWY_AVX3  // these round as told
HWY_INLINE V to_float_toward_zero(VI v) {
  return V{_mm512_cvt_roundepi32_ps(v.raw, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)};
}

HWY_INLINE V add_toward_zero(V x, V y) {
  return V{_mm512_add_round_ps(x.raw, y.raw, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC)};
}
#else
/// Takes `value`, of which a rounding to nearest made a larger magnitude where `grew`, back to a truncated one.
template <class M>
HWY_INLINE V truncate_back(V value, M grew) {
  const DI d;
  return hn::BitCast(D(), hn::Add(hn::BitCast(d, value), hn::VecFromMask(d, grew)));
}

/// The magnitude of v is at most 2^30.
HWY_INLINE V to_float_toward_zero(VI v) {
  const auto nearest = hn::ConvertTo(D(), v);
  return truncate_back(nearest, hn::Gt(hn::Abs(to_integer<false>(nearest)), hn::Abs(v)));
}

/// x and y are integers.
HWY_INLINE V add_toward_zero(V x, V y) {
  const auto sum = hn::Add(x, y);
  const auto of_y = hn::Sub(sum, x);
  const auto lost = hn::Add(hn::Sub(x, hn::Sub(sum, of_y)), hn::Sub(y, of_y));
  // |lost sum| >= 1 wherever lost is not zero.
  return truncate_back(sum, hn::RebindMask(DI(), hn::Lt(hn::Mul(lost, sum), hn::Zero(D()))));
}
#endif

/// low, or low + 2^kLowBits high, truncated to float32.
template <bool kInTwo>
HWY_INLINE V truncate_sum(VI low, VI high) {
  const D d;
  if constexpr (!kInTwo) return to_float_toward_zero(low);
  return add_toward_zero(hn::ConvertTo(d, low), hn::Mul(hn::ConvertTo(d, high), hn::Set(d, 1 << kLowBits)));
}

/// The doubles in half of a vector of sums.
template <bool kInTwo>
HWY_INLINE VD exact_sum(hn::Vec<DH32> low, hn::Vec<DH32> high) {
  const DD d;
  const auto one = hn::PromoteTo(d, low);
  return kInTwo ? hn::MulAdd(hn::PromoteTo(d, high), hn::Set(d, 1 << kLowBits), one) : one;
}

/// The running sum after a group whose terms have the sum low + 2^kLowBits high in units of `unit`.
template <bool kInTwo>
HWY_INLINE V join_integers(const AccumulatePlan& plan, V running, VI low, VI high, V unit) {
  const DI di;
  const DH32 half;
  if (plan.truncates_float) {
    const auto sum = hn::BitCast(di, truncate_sum<kInTwo>(low, high));
    return hn::Mul(hn::BitCast(D(), hn::And(sum, hn::Set(di, plan.truncation_mask))), unit);
  }
  const auto in_half = [&](VD c, VD integer, VD u) {
    const auto sum = hn::Mul(integer, u);
    if (plan.spec->running == RunningSum::After) return join_group(plan, c, sum);
    return hn::IfThenElse(hn::Eq(hn::Abs(c), hn::Inf(DD())), c, round_to(plan.between, sum));
  };
  const auto lower = exact_sum<kInTwo>(hn::LowerHalf(half, low), hn::LowerHalf(half, high));
  const auto upper = exact_sum<kInTwo>(hn::UpperHalf(half, low), hn::UpperHalf(half, high));
  return join_halves(in_half(low_half(running), lower, low_half(unit)),
                     in_half(high_half(running), upper, high_half(unit)));
}

template <bool kInTwo, bool kNearest>
HWY_INLINE void add_aligned_group(const AccumulatePlan& plan, const Tile& tile, std::int64_t first, std::int64_t last,
                                  V* running) {
  const D d;
  const DI di;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(di));
  std::int8_t largest[kVectors * kMostLanes];
  largest_exponents(tile, first, last, largest);
  V scale[kVectors], unit[kVectors];
  VI sum[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    const auto power = alignment_power(plan, largest + v * lanes, running[v]);
    unit[v] = hn::BitCast(d, hn::Sub(power, hn::Set(di, plan.spec->alignment_bits << 23)));
    scale[v] = hn::BitCast(d, hn::Sub(hn::Set(di, (plan.spec->alignment_bits + 254) << 23), power));
    const bool is_aligned = plan.spec->running == RunningSum::Aligned;
    sum[v] = is_aligned ? to_integer<kNearest>(hn::Mul(running[v], scale[v])) : hn::Zero(di);
  }
  const IntegerSums sums = sum_integers<kInTwo, kNearest>(plan, tile, first, last, scale, sum);
  for (int v = 0; v < kVectors; ++v) {
    running[v] = join_integers<kInTwo>(plan, running[v], sums.low[v], sums.high[v], unit[v]);
  }
}

/// The sum of one chunk by ChunkSum::TensorCore.
HWY_INLINE void sum_groups(const AccumulatePlan& plan, const Tile& tile, std::int64_t first, std::int64_t last,
                           V* sum) {
  for (int v = 0; v < kVectors; ++v) sum[v] = hn::Zero(D());
  const bool nearest = plan.spec->alignment == RoundingMode::TiesToEven;
  for (; first < last; first += plan.spec->group) {
    const std::int64_t end = std::min(last, first + plan.spec->group);
    if (plan.kernel == AccumulateKernel::Exact) {
      add_exact_group(plan, tile, first, end, sum);
    } else if (plan.kernel == AccumulateKernel::Aligned) {
      nearest ? add_aligned_group<false, true>(plan, tile, first, end, sum)
              : add_aligned_group<false, false>(plan, tile, first, end, sum);
    } else {
      nearest ? add_aligned_group<true, true>(plan, tile, first, end, sum)
              : add_aligned_group<true, false>(plan, tile, first, end, sum);
    }
  }
}

HWY_INLINE void sum_chunk(const AccumulatePlan& plan, const Tile& tile, std::int64_t first, std::int64_t last, V* sum) {
  if (plan.kernel == AccumulateKernel::Float32) return sum_float32(tile, first, last, sum);
  if (plan.kernel == AccumulateKernel::Rounded) return sum_rounded(plan, tile, first, last, sum);
  sum_groups(plan, tile, first, last, sum);
}

}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();
#endif

#endif
