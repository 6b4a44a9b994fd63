#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace bitlaw {

/// Philox4x32-10: ten rounds of a keyed bijection on 128-bit counters.
/// Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", doi 10.1145/2063384.2063405.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// Which random numbers are meant: a pure function of these and the element's index, never of threads or order.
struct RandomStream {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;   ///< training step; 0 outside training
  std::uint16_t layer = 0;  ///< running number of the linear layer
  std::uint16_t slot = 0;   ///< which operand, or another purpose (initialisation, batches)
};

/// 32 random bits for one element: word element % 4 of the block philox4x32(counter, key) with
/// key = (seed low, seed high), counter = (element / 4 low, element / 4 high, step, layer * 2^16 + slot).
std::uint32_t random_bits(const RandomStream& stream, std::uint64_t element);

/// out[i] = random_bits(stream, first + i), vectorised.
void random_bits(const RandomStream& stream, std::uint64_t first, std::span<std::uint32_t> out);

/// Uniform in [0, 1) with 24 bits, exact in float: (random_bits >> 8) * 2^-24.
float random_uniform(const RandomStream& stream, std::uint64_t element);

}  // namespace bitlaw
