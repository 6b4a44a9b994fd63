#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/random/random_bits.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <array>

#include "core/random/philox.h"
#include "core/random/philox_vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

/// The blocks of the words have the same high word.
void fill_kernel(const RandomStream& stream, std::uint64_t first, std::uint32_t* out, std::size_t count) {
  const PhiloxSteps generator(stream, static_cast<std::uint32_t>(first >> 34));
  const std::size_t per_step = PhiloxSteps::per_step();
  std::array<std::uint32_t, PhiloxSteps::kMostWords> words;
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
  // Numbers of blocks change their high word every 2^34 elements.
  const std::uint64_t left = (std::uint64_t{1} << 34) - first % (std::uint64_t{1} << 34);
  const auto before = static_cast<std::size_t>(std::min<std::uint64_t>(left, out.size()));
  HWY_DYNAMIC_DISPATCH(fill_kernel)(stream, first, out.data(), before);
  if (before < out.size()) random_bits(stream, first + before, out.subspan(before));
}

}  // namespace bitlaw
#endif
