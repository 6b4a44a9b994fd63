#include "core/format/pack_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/format/pack_kernels.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_SCALAR

PackedPart pack_kernel(int, BitOrder, const std::uint8_t*, std::uint8_t*, std::size_t) { return {0, 0}; }
std::size_t unpack_kernel(int, BitOrder, const std::uint8_t*, std::uint8_t*, std::size_t) { return 0; }

#else

namespace hn = hwy::HWY_NAMESPACE;
using D16 = hn::CappedTag<std::uint16_t, 32>;
using DHalf = hn::Rebind<std::uint8_t, D16>;  // a byte for each lane of D16
using DBytes = hn::Repartition<std::uint8_t, D16>;
using DBlock = hn::FixedTag<std::uint8_t, 16>;
using DBlock32 = hn::Repartition<std::uint32_t, DBlock>;
using Block32 = hn::Vec<DBlock32>;

template <class D>
HWY_INLINE std::uint8_t all_bits(D d, hn::Vec<D> v) {
  alignas(64) std::uint8_t lanes[64] = {};
  hn::Store(v, d, lanes);
  unsigned all = 0;
  for (const std::uint8_t lane : lanes) all |= lane;
  return static_cast<std::uint8_t>(all);
}

/// Two codes of 4 bits in the bytes of a 16-bit lane become its low byte.
template <BitOrder kOrder>
PackedPart pack_nibbles(const std::uint8_t* codes, std::uint8_t* packed, std::size_t count) {
  const D16 d;
  const DHalf half;
  const DBytes bytes;
  const std::size_t step = 2 * hn::Lanes(d);
  auto used = hn::Zero(bytes);
  std::size_t i = 0;
  for (; i + step <= count; i += step) {
    const auto v = hn::LoadU(bytes, codes + i);
    used = hn::Or(used, v);
    const auto pair = hn::BitCast(d, v);
    const auto joined = kOrder == BitOrder::LowFirst ? hn::Or(pair, hn::ShiftRight<4>(pair))
                                                     : hn::Or(hn::ShiftLeft<4>(pair), hn::ShiftRight<8>(pair));
    hn::StoreU(hn::TruncateTo(half, joined), half, packed + i / 2);
  }
  return {i, all_bits(bytes, used)};
}

template <BitOrder kOrder>
std::size_t unpack_nibbles(const std::uint8_t* packed, std::uint8_t* codes, std::size_t count) {
  const D16 d;
  const DHalf half;
  const std::size_t step = 2 * hn::Lanes(d);
  std::size_t i = 0;
  for (; i + step <= count; i += step) {
    const auto joined = hn::PromoteTo(d, hn::LoadU(half, packed + i / 2));
    const auto pair = kOrder == BitOrder::LowFirst ? hn::Or(joined, hn::ShiftLeft<4>(joined))
                                                   : hn::Or(hn::ShiftRight<4>(joined), hn::ShiftLeft<8>(joined));
    hn::StoreU(hn::BitCast(DBytes(), hn::And(pair, hn::Set(d, std::uint16_t{0x0F0F}))), DBytes(), codes + i);
  }
  return i;
}

/// Four codes of 6 bits in the bytes of a 32-bit lane become its low 24 bits, by way of two pairs of 12.
template <BitOrder kOrder>
HWY_INLINE Block32 join_sextets(Block32 four) {
  const DBlock32 d;
  const auto first = hn::And(four, hn::Set(d, 0x003F003FU));
  const auto second = hn::And(four, hn::Set(d, 0x3F003F00U));
  if constexpr (kOrder == BitOrder::LowFirst) {
    const auto pairs = hn::Or(first, hn::ShiftRight<2>(second));
    return hn::Or(hn::And(pairs, hn::Set(d, 0xFFFU)), hn::ShiftRight<4>(hn::And(pairs, hn::Set(d, 0xFFF0000U))));
  } else {
    const auto pairs = hn::Or(hn::ShiftLeft<6>(first), hn::ShiftRight<8>(second));
    return hn::Or(hn::ShiftLeft<12>(hn::And(pairs, hn::Set(d, 0xFFFU))), hn::ShiftRight<16>(pairs));
  }
}

/// The inverse; the high 8 bits are zero.
template <BitOrder kOrder>
HWY_INLINE Block32 split_sextets(Block32 joined) {
  const DBlock32 d;
  const auto low = hn::And(joined, hn::Set(d, 0xFFFU));
  const auto pairs = kOrder == BitOrder::LowFirst
                         ? hn::Or(low, hn::ShiftLeft<4>(hn::And(joined, hn::Set(d, 0xFFF000U))))
                         : hn::Or(hn::ShiftLeft<16>(low), hn::ShiftRight<12>(joined));
  const auto lower = hn::And(pairs, hn::Set(d, 0x003F003FU));
  const auto upper = hn::And(pairs, hn::Set(d, 0x0FC00FC0U));
  return kOrder == BitOrder::LowFirst ? hn::Or(lower, hn::ShiftLeft<2>(upper))
                                      : hn::Or(hn::ShiftLeft<8>(lower), hn::ShiftRight<6>(upper));
}

/// Which bytes of four 32-bit lanes are stored, and which stored bytes go where; 0x80 is a byte of zeros. HighFirst
/// stores a lane's bytes from high to low.
struct ByteOrder {
  alignas(16) std::uint8_t to_packed[16];
  alignas(16) std::uint8_t to_lanes[16];
};
constexpr std::uint8_t kNone = 0x80;
constexpr ByteOrder kLowFirst{{0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, kNone, kNone, kNone, kNone},
                              {0, 1, 2, kNone, 3, 4, 5, kNone, 6, 7, 8, kNone, 9, 10, 11, kNone}};
constexpr ByteOrder kHighFirst{{2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, kNone, kNone, kNone, kNone},
                               {2, 1, 0, kNone, 5, 4, 3, kNone, 8, 7, 6, kNone, 11, 10, 9, kNone}};
template <BitOrder kOrder>
constexpr const ByteOrder& kByteOrder = kOrder == BitOrder::LowFirst ? kLowFirst : kHighFirst;

/// 16 codes at a time fill 12 bytes, but a store writes and a load reads 16: both stop before the end.
constexpr std::size_t kSextetsAccessed = 24;

template <BitOrder kOrder>
PackedPart pack_sextets(const std::uint8_t* codes, std::uint8_t* packed, std::size_t count) {
  const DBlock d;
  const auto order = hn::Load(d, kByteOrder<kOrder>.to_packed);
  auto used = hn::Zero(d);
  std::size_t i = 0;
  for (; i + kSextetsAccessed <= count; i += 16) {
    const auto v = hn::LoadU(d, codes + i);
    used = hn::Or(used, v);
    const auto joined = hn::BitCast(d, join_sextets<kOrder>(hn::BitCast(DBlock32(), v)));
    hn::StoreU(hn::TableLookupBytesOr0(joined, order), d, packed + i / 4 * 3);
  }
  return {i, all_bits(d, used)};
}

template <BitOrder kOrder>
std::size_t unpack_sextets(const std::uint8_t* packed, std::uint8_t* codes, std::size_t count) {
  const DBlock d;
  const auto order = hn::Load(d, kByteOrder<kOrder>.to_lanes);
  std::size_t i = 0;
  for (; i + kSextetsAccessed <= count; i += 16) {
    const auto lanes = hn::TableLookupBytesOr0(hn::LoadU(d, packed + i / 4 * 3), order);
    hn::StoreU(hn::BitCast(d, split_sextets<kOrder>(hn::BitCast(DBlock32(), lanes))), d, codes + i);
  }
  return i;
}

PackedPart pack_kernel(int bits, BitOrder order, const std::uint8_t* codes, std::uint8_t* packed, std::size_t count) {
  const bool low_first = order == BitOrder::LowFirst;
  if (bits == 4 && low_first) return pack_nibbles<BitOrder::LowFirst>(codes, packed, count);
  if (bits == 4) return pack_nibbles<BitOrder::HighFirst>(codes, packed, count);
  return low_first ? pack_sextets<BitOrder::LowFirst>(codes, packed, count)
                   : pack_sextets<BitOrder::HighFirst>(codes, packed, count);
}

std::size_t unpack_kernel(int bits, BitOrder order, const std::uint8_t* packed, std::uint8_t* codes,
                          std::size_t count) {
  const bool low_first = order == BitOrder::LowFirst;
  if (bits == 4 && low_first) return unpack_nibbles<BitOrder::LowFirst>(packed, codes, count);
  if (bits == 4) return unpack_nibbles<BitOrder::HighFirst>(packed, codes, count);
  return low_first ? unpack_sextets<BitOrder::LowFirst>(packed, codes, count)
                   : unpack_sextets<BitOrder::HighFirst>(packed, codes, count);
}

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

HWY_EXPORT(pack_kernel);
HWY_EXPORT(unpack_kernel);

}  // namespace

PackedPart pack_vectors(int bits, BitOrder order, const std::uint8_t* codes, std::uint8_t* packed, std::size_t count) {
  return HWY_DYNAMIC_DISPATCH(pack_kernel)(bits, order, codes, packed, count);
}
std::size_t unpack_vectors(int bits, BitOrder order, const std::uint8_t* packed, std::uint8_t* codes,
                           std::size_t count) {
  return HWY_DYNAMIC_DISPATCH(unpack_kernel)(bits, order, packed, codes, count);
}

}  // namespace bitlaw
#endif
