#pragma once

#include <cstddef>

#include "core/base/distributions.h"
#include "core/random/philox.h"

namespace bitlaw {

/// Number `index` of the standard normal numbers of a stream, by inversion of one of 2^32 midpoints.
inline double normal_number(const RandomStream& stream, std::size_t index) {
  return normal_quantile((random_bits(stream, index) + 0.5) * 0x1p-32);
}

}  // namespace bitlaw
