#pragma once

#include <boost/math/distributions/normal.hpp>
#include <cstddef>

#include "core/random/philox.h"

namespace bitlaw {

/// Number `index` of the standard normal numbers of a stream, by inversion of one of 2^32 midpoints.
inline double normal_number(const RandomStream& stream, std::size_t index) {
  return quantile(boost::math::normal(), (random_bits(stream, index) + 0.5) * 0x1p-32);
}

}  // namespace bitlaw
