#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/random/random_bits.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <array>

#include "core/random/philox.h"
#include "core/random/philox_constants.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_SCALAR

void fill_kernel(const RandomStream& stream, std::uint64_t first, std::uint32_t* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = random_bits(stream, first + i);
}

#else

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<std::uint32_t, 16>;
using D64 = hn::Repartition<std::uint64_t, D>;
constexpr std::size_t kMostPerStep = 32;

/// Philox on 64-bit lanes, one counter each. Only the low half of a lane counts: the product of two low halves is a
/// 64-bit lane whose halves are the high and the low word, so no lane has to move until the end.
class Generator {
 public:
  explicit Generator(const RandomStream& stream) : stream_(stream) {
    // Lane 2 i holds block i and lane 2 i + 1 block i + lanes / 2: then interleaving pairs restores the order.
    const std::size_t lanes = hn::Lanes(D64());
    for (std::size_t i = 0; i < lanes; ++i) offsets_[i] = i / 2 + (i % 2) * (lanes / 2);
    for (std::uint32_t round = 0; round < kPhiloxRounds; ++round) {
      keys_[0][round] = static_cast<std::uint32_t>(stream.seed) + round * kPhiloxKeySteps[0];
      keys_[1][round] = static_cast<std::uint32_t>(stream.seed >> 32) + round * kPhiloxKeySteps[1];
    }
  }

  static std::size_t per_step() { return 2 * hn::Lanes(D()); }

  /// The words of the per_step() / 4 blocks from `block` on.
  void step(std::uint64_t block, std::uint32_t* HWY_RESTRICT out) const {
    const D d;
    const D64 d64;
    auto c0 = hn::Add(hn::Set(d64, block), hn::Load(d64, offsets_));
    auto c1 = hn::ShiftRight<32>(c0);
    auto c2 = hn::Set(d64, std::uint64_t{stream_.step});
    auto c3 = hn::Set(d64, std::uint64_t{philox_place(stream_)});
    const auto m0 = hn::Set(d, kPhiloxMultipliers[0]);
    const auto m1 = hn::Set(d, kPhiloxMultipliers[1]);
    for (std::size_t round = 0; round < kPhiloxRounds; ++round) {
      const auto a = hn::MulEven(hn::BitCast(d, c0), m0);
      const auto b = hn::MulEven(hn::BitCast(d, c2), m1);
      c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(b), c1), hn::Set(d64, keys_[0][round]));
      c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(a), c3), hn::Set(d64, keys_[1][round]));
      c1 = b;
      c3 = a;
    }
    const auto low = hn::Set(d64, std::uint64_t{0xFFFFFFFF});
    const auto words01 = hn::Or(hn::And(c0, low), hn::ShiftLeft<32>(c1));
    const auto words23 = hn::Or(hn::And(c2, low), hn::ShiftLeft<32>(c3));
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, words01, words23)), d, out);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, words01, words23)), d, out + hn::Lanes(d));
  }

 private:
  RandomStream stream_;
  alignas(64) std::uint64_t offsets_[8];
  std::uint64_t keys_[2][kPhiloxRounds];  ///< one word of the key per round
};

void fill_kernel(const RandomStream& stream, std::uint64_t first, std::uint32_t* out, std::size_t count) {
  const Generator generator(stream);
  const std::size_t per_step = Generator::per_step();
  std::array<std::uint32_t, kMostPerStep> words;
  std::uint64_t block = first / 4;
  std::size_t skip = first % 4;
  while (count > 0) {
    if (skip == 0 && count >= per_step) {
      generator.step(block, out);
      out += per_step;
      count -= per_step;
    } else {
      generator.step(block, words.data());
      const std::size_t taken = std::min(count, per_step - skip);
      out = std::copy_n(words.begin() + static_cast<std::ptrdiff_t>(skip), taken, out);
      count -= taken;
      skip = 0;
    }
    block += per_step / 4;
  }
}

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {
HWY_EXPORT(fill_kernel);
}

void random_bits(const RandomStream& stream, std::uint64_t first, std::span<std::uint32_t> out) {
  HWY_DYNAMIC_DISPATCH(fill_kernel)(stream, first, out.data(), out.size());
}

}  // namespace bitlaw
#endif
