#pragma once

#include <cstddef>
#include <cstdint>

#include "core/format/pack.h"

namespace bitlaw {

// The vectorised part of pack_codes and unpack_codes for 4 and 6 bits: `count` codes but for the last ones, from a
// multiple of 4 on, which the caller does.

struct PackedPart {
  std::size_t codes = 0;      ///< how many were handled
  std::uint8_t all_bits = 0;  ///< the bits that any of them has
};
PackedPart pack_vectors(int bits, BitOrder order, const std::uint8_t* codes, std::uint8_t* packed, std::size_t count);
std::size_t unpack_vectors(int bits, BitOrder order, const std::uint8_t* packed, std::uint8_t* codes,
                           std::size_t count);

}  // namespace bitlaw
