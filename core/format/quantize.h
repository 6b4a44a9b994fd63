#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "core/format/format_spec.h"
#include "core/format/rounding.h"
#include "core/random/philox.h"

namespace bitlaw {

/// The value of `spec` that v rounds to: round, then apply the overflow policy. The definition of every rounding here.
///
/// Error: TiesToEven |result - v| <= 2^-(m+1) |v| for 2^emin <= |v| <= max_finite(), <= min_positive() / 2 below;
/// the other two < twice that. Stochastic: E[result] = v up to 2^-(k+1) of the distance of the neighbours.
/// Edges: NaN stays NaN. Zero keeps its sign where the format has a minus zero, else it becomes +0. Formats without
/// zero round zero and all below to their least value. Unsigned formats turn v < 0 into their least value (Saturate)
/// or NaN (ToInfinity). Without subnormals, `lo` and `hi` are zero and min_normal() below min_normal(), and the
/// midpoint goes to zero. `random` is R, used by Stochastic only; 0 <= k <= 32.
double round_reference(const FormatSpec& spec, Rounding rounding, Overflow overflow, double v, std::uint32_t random,
                       int k);

/// k of stochastic rounding from float32: as many bits as float32 carries below a normal value's m bits, 23 - m
/// (none for m >= 23). So normal values are rounded without any bias, and subnormal ones with less than 2^-(k+1) of
/// their distance. R is the top k bits of random_bits(stream, element).
constexpr int stochastic_bits(const FormatSpec& spec) { return std::max(0, 23 - spec.mantissa_bits); }

/// out[i] = the value of `spec` that x[i] rounds to, as float32. x and out have the same size; out may be x.
///
/// Element i takes the random bits of element i of `stream` (Stochastic only). NaN keeps its payload. A value of a
/// format wider than float32 that float32 cannot hold becomes infinity.
/// The bits do not depend on the instruction set. Signed formats with zero and subnormals, m <= 22 and
/// -126 <= emin <= 104 are vectorised; the others run by definition, about a hundred times slower.
void quantize(const FormatSpec& spec, Rounding rounding, Overflow overflow, std::span<const float> x,
              std::span<float> out, const RandomStream& stream);

/// The same by definition, one element at a time: what quantize equals bit for bit.
void quantize_reference(const FormatSpec& spec, Rounding rounding, Overflow overflow, std::span<const float> x,
                        std::span<float> out, const RandomStream& stream);

/// One element of quantize_reference; `bits` are its 32 random bits.
float quantize_element(const FormatSpec& spec, Rounding rounding, Overflow overflow, float x, std::uint32_t bits);

}  // namespace bitlaw
