#include "core/random/philox.h"

#include "core/random/philox_constants.h"

namespace bitlaw {
namespace {

std::uint32_t high(std::uint64_t word) { return static_cast<std::uint32_t>(word >> 32); }
std::uint32_t low(std::uint64_t word) { return static_cast<std::uint32_t>(word); }

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const std::uint64_t a = std::uint64_t{kPhiloxMultipliers[0]} * counter[0];
    const std::uint64_t b = std::uint64_t{kPhiloxMultipliers[1]} * counter[2];
    counter = {high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)};
    key[0] += kPhiloxKeySteps[0];
    key[1] += kPhiloxKeySteps[1];
  }
  return counter;
}

std::uint32_t random_bits(const RandomStream& stream, std::uint64_t element) {
  const std::uint64_t block = element / 4;
  return philox4x32({low(block), high(block), stream.step, philox_place(stream)},
                    {low(stream.seed), high(stream.seed)})[element % 4];
}

float random_uniform(const RandomStream& stream, std::uint64_t element) {
  return static_cast<float>(random_bits(stream, element) >> 8) * 0x1p-24F;
}

}  // namespace bitlaw
