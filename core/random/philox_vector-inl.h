// Philox in vectors, compiled once per instruction set: include it in files that use foreach_target.h.

#if defined(BITLAW_PHILOX_VECTOR_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLAW_PHILOX_VECTOR_INL
#undef BITLAW_PHILOX_VECTOR_INL
#else
#define BITLAW_PHILOX_VECTOR_INL
#endif

#include <hwy/highway.h>

#include "core/random/philox.h"
#include "core/random/philox_constants.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

/// A block at a time.
class PhiloxSteps {
 public:
  static constexpr std::size_t kMostWords = 4;

  PhiloxSteps(const RandomStream& stream, std::uint32_t) : stream_(stream) {}

  static std::size_t per_step() { return 4; }

  void step(std::uint64_t block, std::uint32_t* HWY_RESTRICT out) const {
    for (std::uint64_t i = 0; i < 4; ++i) out[i] = random_bits(stream_, 4 * block + i);
  }

 private:
  RandomStream stream_;
};

#else

namespace hn = hwy::HWY_NAMESPACE;

/// Philox on 64-bit lanes, one counter each. Only the low half of a lane counts: the product of two low halves is a
/// 64-bit lane whose halves are the high and the low word, so no lane has to move until the end.
class PhiloxSteps {
 public:
  static constexpr std::size_t kMostWords = 128;  ///< of a step

  /// For blocks with the same high word.
  PhiloxSteps(const RandomStream& stream, std::uint32_t block_high) {
    // Lane 2 i holds block i and lane 2 i + 1 block i + lanes / 2: then interleaving pairs restores the order.
    const std::size_t lanes = hn::Lanes(D64());
    for (std::size_t i = 0; i < lanes; ++i) offsets_[i] = i / 2 + (i % 2) * (lanes / 2);
    for (std::uint32_t round = 0; round < kPhiloxRounds; ++round) {
      keys_[0][round] = static_cast<std::uint32_t>(stream.seed) + round * kPhiloxKeySteps[0];
      keys_[1][round] = static_cast<std::uint32_t>(stream.seed >> 32) + round * kPhiloxKeySteps[1];
    }
    const std::uint64_t b = std::uint64_t{stream.step} * kPhiloxMultipliers[1];
    const std::uint64_t c0 = (b >> 32) ^ block_high ^ keys_[0][0];
    const std::uint64_t a = c0 * kPhiloxMultipliers[0];
    first_c2_ = philox_place(stream) ^ keys_[1][0];
    second_c0_ = (b & 0xFFFFFFFF) ^ keys_[0][1];
    second_c2_ = (a >> 32) ^ keys_[1][1];
    second_c3_ = a & 0xFFFFFFFF;
  }

  static std::size_t per_step() { return kChains * 2 * hn::Lanes(D()); }

  /// The words of the per_step() / 4 blocks from `block` on.
  void step(std::uint64_t block, std::uint32_t* HWY_RESTRICT out) const {
    const D d;
    Chain chains[kChains];
    for (std::size_t i = 0; i < kChains; ++i) chains[i] = start(block + i * hn::Lanes(D64()));
    for (std::size_t round = 2; round < kPhiloxRounds; ++round) {
      for (Chain& chain : chains) advance(round, chain);
    }
    for (std::size_t i = 0; i < kChains; ++i) store(chains[i], out + 2 * i * hn::Lanes(d));
  }

 private:
  using D = hn::CappedTag<std::uint32_t, 16>;
  using D64 = hn::Repartition<std::uint64_t, D>;
  static constexpr std::size_t kChains = 4;  ///< per lane, as each waits for its multiplications

  using V = hn::Vec<D64>;
  struct Chain {
    V c0, c1, c2, c3;
  };

  static HWY_INLINE V times(V word, std::uint32_t multiplier) {
    const D d;
    return hn::MulEven(hn::BitCast(d, word), hn::Set(d, multiplier));
  }

  /// The first two rounds, in which half of the words are the same for all blocks.
  HWY_INLINE Chain start(std::uint64_t block) const {
    const D64 d64;
    const auto a = times(hn::Add(hn::Set(d64, block), hn::Load(d64, offsets_)), kPhiloxMultipliers[0]);
    const auto b = times(hn::Xor(hn::ShiftRight<32>(a), hn::Set(d64, first_c2_)), kPhiloxMultipliers[1]);
    return {hn::Xor(hn::ShiftRight<32>(b), hn::Set(d64, second_c0_)), b, hn::Xor(a, hn::Set(d64, second_c2_)),
            hn::Set(d64, second_c3_)};
  }

  HWY_INLINE void advance(std::size_t round, Chain& c) const {
    const D64 d64;
    const auto a = times(c.c0, kPhiloxMultipliers[0]);
    const auto b = times(c.c2, kPhiloxMultipliers[1]);
    c = {hn::Xor3(hn::ShiftRight<32>(b), c.c1, hn::Set(d64, keys_[0][round])), b,
         hn::Xor3(hn::ShiftRight<32>(a), c.c3, hn::Set(d64, keys_[1][round])), a};
  }

  static HWY_INLINE void store(const Chain& c, std::uint32_t* HWY_RESTRICT out) {
    const D d;
    const D64 d64;
    const auto words01 = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(c.c1)), hn::BitCast(d, c.c0));
    const auto words23 = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(c.c3)), hn::BitCast(d, c.c2));
    const auto pairs01 = hn::BitCast(d64, words01);
    const auto pairs23 = hn::BitCast(d64, words23);
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, pairs01, pairs23)), d, out);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, pairs01, pairs23)), d, out + hn::Lanes(d));
  }

  alignas(64) std::uint64_t offsets_[8];
  std::uint64_t keys_[2][kPhiloxRounds];                        ///< one word of the key per round
  std::uint64_t first_c2_, second_c0_, second_c2_, second_c3_;  ///< what the first two rounds exclusive-or
};

#endif

}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#endif
