#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "core/random/philox.h"

namespace bitlaw {

// Slots of the random streams that generate samples: see "Random numbers" in simulators/README.md. Layer 0 is training,
// whose seed and step are the run's; layer 1 is held-out data, the same for every run and batch size: seed 0, and each
// sample has its own step.
inline constexpr std::uint16_t kFeatureSlot = 120;  ///< features, pixels' noise, positions
inline constexpr std::uint16_t kLabelSlot = 121;    ///< classes, components, which image
inline constexpr std::uint16_t kNoiseSlot = 122;    ///< of labels; what a diffusion adds
inline constexpr std::uint16_t kTimeSlot = 123;     ///< of a diffusion
inline constexpr std::uint16_t kTruthSlot = 124;    ///< what is to be learned, seed 0

inline RandomStream training_stream(std::uint64_t seed, std::int64_t step, std::uint16_t slot) {
  return {.seed = seed, .step = static_cast<std::uint32_t>(step), .layer = 0, .slot = slot};
}
inline RandomStream held_out_stream(std::int64_t sample, std::uint16_t slot) {
  return {.seed = 0, .step = static_cast<std::uint32_t>(sample), .layer = 1, .slot = slot};
}

/// out[i] = the normal number of (stream, i), mean 0 and variance 1.
///
/// Box and Muller 1958: elements 2j and 2j + 1 are r cos(2 pi v) and r sin(2 pi v) with r = sqrt(-2 ln u), where u =
/// (w + 1/2) 2^-23 of the upper 23 bits w of word 2j and v = w 2^-24 of the upper 24 of word 2j + 1. So |out[i]| < 5.8.
/// Only IEEE operations, so the same bits with every C library and vector width; absolute error < 1e-6.
void fill_normal(const RandomStream& stream, std::span<float> out);

/// (cos 2 pi v, sin 2 pi v) for 0 <= v < 1 by the Taylor series about the nearest multiple of a quarter; error < 2e-7.
std::pair<float, float> cos_sin_turns(float v);

}  // namespace bitlaw
