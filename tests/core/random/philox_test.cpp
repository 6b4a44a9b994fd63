#include "core/random/philox.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/each_target.h"

using namespace bitlaw;

TEST_CASE("philox4x32: the known answers that Random123 publishes for ten rounds") {
  using Counter = std::array<std::uint32_t, 4>;
  constexpr std::uint32_t kOnes = 0xFFFFFFFF;
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}) ==
        Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  // Digits of pi.
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random_bits: seed, step, layer, slot and element each have their place in key and counter") {
  const RandomStream stream{.seed = 0x0123456789abcdef, .step = 77, .layer = 3, .slot = 5};
  const std::uint64_t element = (std::uint64_t{9} << 34) + 4 * 6 + 2;  // block 2^32 * 9 + 6, word 2
  CHECK(random_bits(stream, element) == philox4x32({6, 9, 77, 0x00030005}, {0x89abcdef, 0x01234567})[2]);
}

TEST_CASE("random_uniform: the upper 24 bits as a fraction") {
  const RandomStream stream{.seed = 1};
  for (std::uint64_t e = 0; e < 100; ++e) {
    CHECK(random_uniform(stream, e) == static_cast<float>(random_bits(stream, e) / 256) / 16777216.0F);
  }
}

TEST_CASE("random_bits: every instruction set fills any run with the elements' own bits") {
  const RandomStream stream{.seed = 0xfedcba9876543210, .step = 123456789, .layer = 65535, .slot = 40000};
  for_each_target([&](const char* target) {
    CAPTURE(std::string(target));
    for (std::uint64_t first : {0ULL, 1ULL, 2ULL, 3ULL, 4ULL, 1001ULL, (1ULL << 34) - 9, (1ULL << 34) - 128}) {
      for (std::size_t count : {0UL, 1UL, 5UL, 16UL, 31UL, 32UL, 33UL, 64UL, 131UL, 300UL}) {
        std::vector<std::uint32_t> bits(count + 1, 42);
        random_bits(stream, first, std::span(bits).first(count));
        bool same = bits[count] == 42;
        for (std::size_t i = 0; i < count; ++i) same = same && bits[i] == random_bits(stream, first + i);
        CHECK(same);
      }
    }
  });
}
