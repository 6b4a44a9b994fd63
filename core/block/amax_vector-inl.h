// Largest magnitudes of float32 arrays and blocks, compiled once per instruction set: include it in files that use
// foreach_target.h.

#if defined(BITLAW_AMAX_VECTOR_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLAW_AMAX_VECTOR_INL
#undef BITLAW_AMAX_VECTOR_INL
#else
#define BITLAW_AMAX_VECTOR_INL
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "core/base/beyond_caches.h"
#include "core/block/scale_vector-inl.h"
#include "core/format/round_vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

/// The larger of a and |b|, where NaN is larger than infinity.
HWY_INLINE float larger_magnitude(float a, float b) {
  return std::bit_cast<float>(std::max(std::bit_cast<std::uint32_t>(a), std::bit_cast<std::uint32_t>(std::fabs(b))));
}

/// What is left of an array when vectors have taken its beginning, with zeros behind it.
HWY_INLINE BitVector<float> last_magnitudes(const float* x, std::int64_t count) {
  float rest[kMostLanes<float>] = {};
  std::copy_n(x, count, rest);
  return magnitude_bits(hn::LoadU(F32(), rest));
}

HWY_INLINE float largest_of(BitVector<float> magnitudes) {
  return std::bit_cast<float>(hn::GetLane(hn::MaxOfLanes(U32(), magnitudes)));
}

HWY_INLINE float amax_of(const float* x, std::int64_t count) {
  const F32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto amax = hn::Zero(U32());
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) amax = hn::Max(amax, magnitude_bits(hn::LoadU(d, x + i)));
  if (i < count) amax = hn::Max(amax, last_magnitudes(x + i, count - i));
  return largest_of(amax);
}

#if HWY_TARGET != HWY_SCALAR
/// In every 128 bits, lanes 0 to 3 have the largest of the four lanes of v0 to v3 there.
HWY_INLINE BitVector<float> largest_in_fours(BitVector<float> v0, BitVector<float> v1, BitVector<float> v2,
                                             BitVector<float> v3) {
  const U32 d;
  const hn::Repartition<std::uint64_t, U32> d64;
  const auto of_pair = [&](BitVector<float> a, BitVector<float> b) HWY_ATTR {
    return hn::BitCast(d64, hn::Max(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b)));
  };
  const auto first = of_pair(v0, v1), last = of_pair(v2, v3);
  return hn::Max(hn::BitCast(d, hn::InterleaveLower(d64, first, last)),
                 hn::BitCast(d, hn::InterleaveUpper(d64, first, last)));
}

/// Lane b has the largest magnitude of block b: of `width` elements, a multiple of the lanes, at x + b width.
template <std::int64_t kLanes>
HWY_INLINE BitVector<float> amax_of_lanes(const float* x, std::int64_t width) {
  static_assert(kLanes == 4 || kLanes == 8 || kLanes == 16);
  const F32 d;
  // Four vectors of their own: an array of them, indexed in a loop, would be stored and loaded at every step.
  const auto fours_from = [&](std::int64_t first) HWY_ATTR {
    const float* block = x + first * width;
    const auto at = [&](std::int64_t i) HWY_ATTR { return magnitude_bits(hn::LoadU(d, block + i)); };
    auto a = at(0), b = at(width), c = at(2 * width), e = at(3 * width);
    for (std::int64_t i = kLanes; i < width; i += kLanes) {
      a = hn::Max(a, at(i));
      b = hn::Max(b, at(width + i));
      c = hn::Max(c, at(2 * width + i));
      e = hn::Max(e, at(3 * width + i));
    }
    return largest_in_fours(a, b, c, e);
  };
  const auto of_halves = [&](BitVector<float> low, BitVector<float> high) HWY_ATTR {
    return hn::Max(hn::ConcatLowerLower(U32(), high, low), hn::ConcatUpperUpper(U32(), high, low));
  };
  if constexpr (kLanes == 4) {
    return fours_from(0);
  } else if constexpr (kLanes == 8) {
    return of_halves(fours_from(0), fours_from(4));
  } else {
    // 128 bits each: blocks 0-3, 0-3, 8-11, 8-11, and 4-7, 4-7, 12-15, 12-15.
    const auto even = of_halves(fours_from(0), fours_from(8)), odd = of_halves(fours_from(4), fours_from(12));
    return hn::Max(hn::OddEvenBlocks(odd, even),
                   hn::OddEvenBlocks(hn::SwapAdjacentBlocks(odd), hn::SwapAdjacentBlocks(even)));
  }
}
#endif

/// The largest magnitudes of `count` blocks beside each other, of `width` elements each.
HWY_INLINE void amax_of_blocks(const float* x, std::int64_t width, std::int64_t count, float* amax) {
  std::int64_t b = 0;
#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE
  constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(F32()));
  if (width % kLanes == 0) {
    for (; b + kLanes <= count; b += kLanes) {
      hn::StoreU(hn::BitCast(F32(), amax_of_lanes<kLanes>(x + b * width, width)), F32(), amax + b);
    }
  }
#endif
  for (; b < count; ++b) amax[b] = amax_of(x + b * width, width);
}

/// The same of an array that may be in memory: its four quarters are read beside each other, which a processor fetches
/// faster than one stretch after another.
float amax_of_array(const float* x, std::int64_t count) {
  const F32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t quarter = count / 4 / lanes * lanes;
  BitVector<float> amax[4] = {hn::Zero(U32()), hn::Zero(U32()), hn::Zero(U32()), hn::Zero(U32())};
  for (std::int64_t i = 0; i < quarter; i += lanes) {
    for (std::int64_t q = 0; q < 4; ++q) {
      const float* p = x + q * quarter + i;
      fetch_ahead(p);
      amax[q] = hn::Max(amax[q], magnitude_bits(hn::LoadU(d, p)));
    }
  }
  const auto of_quarters = largest_of(hn::Max(hn::Max(amax[0], amax[1]), hn::Max(amax[2], amax[3])));
  return larger_magnitude(of_quarters, amax_of(x + 4 * quarter, count - 4 * quarter));
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#endif
