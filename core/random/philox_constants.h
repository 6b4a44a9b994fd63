#pragma once

#include <array>
#include <cstdint>

#include "core/random/philox.h"

namespace bitlaw {

// Salmon et al. 2011, section 3.3 and Table 2; the key steps are the golden ratio and sqrt(3) - 1, times 2^32.
inline constexpr int kPhiloxRounds = 10;
inline constexpr std::array<std::uint32_t, 2> kPhiloxMultipliers{0xD2511F53, 0xCD9E8D57};
inline constexpr std::array<std::uint32_t, 2> kPhiloxKeySteps{0x9E3779B9, 0xBB67AE85};

/// The counter's last word: which layer and slot.
constexpr std::uint32_t philox_place(const RandomStream& stream) {
  return (std::uint32_t{stream.layer} << 16) | stream.slot;
}

}  // namespace bitlaw
