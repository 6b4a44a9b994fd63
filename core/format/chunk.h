#pragma once

#include <cstddef>
#include <span>

#include "core/format/quantize.h"

namespace bitlaw {

/// Elements between two passes over the same data: few enough to stay in the L1 cache.
inline constexpr std::size_t kChunk = 2048;

/// quantize() of a part of an array: x[i] takes the random bits of element first + i.
template <typename W>
void quantize_from(const FormatSpec& spec, const Conversion& conversion, std::span<const W> x, std::span<W> out,
                   const RandomStream& stream, std::size_t first) {
  if (!conversion.rounding.is_stochastic()) return quantize(spec, conversion, x, out);
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = quantize_element(spec, conversion, x[i], stream, first + i);
}

}  // namespace bitlaw
