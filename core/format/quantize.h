#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "core/format/format_spec.h"
#include "core/format/rounding.h"
#include "core/format/storage_types.h"
#include "core/random/philox.h"

namespace bitlaw {

/// Random numbers of one rounding. StochasticA, B and C call it with 0 and take the result as R, which is below 2^k.
/// StochasticExact takes 32-bit words: U = sum of word(j) 2^(-32 (j + 1)), as many as it needs to decide.
using RandomWords = std::function<std::uint32_t(int)>;

/// The value of `spec` that v rounds to. The definition of every rounding here: round, then saturate.
///
/// Error where v is neither beyond the largest value of its sign nor, without zero, below the least: |result - v| <=
/// ulp(v) / 2 to nearest (PowerTies::Logarithmic: (2 - sqrt(2)) ulp(v)), < ulp(v) else; E[result] of StochasticExact is
/// v.
/// Edges: zero keeps its sign where the format has a minus zero, else it becomes +0. Without subnormals, `lo` and `hi`
/// are zero and min_normal() below min_normal(), and the midpoint is even at zero. Overflow and NanPolicy: rounding.h.
double round_reference(const FormatSpec& spec, const Conversion& conversion, double v, const RandomWords& random);

/// Whether a stochastic rounding takes `hi`, 0 <= f < 1 (the formulas of RoundingMode).
bool stochastic_rounds_up(const Rounding& rounding, double f, const RandomWords& random);

/// Word j of the random numbers that StochasticExact takes for `element`. Its first 16 bits nearly always decide, so
/// they come from the half word of stochastic_random(stream, element, 16), and the other 16 of word 0 are the high half
/// of random_bits(stream, element + 2^57); word j > 0 is random_bits(stream, element + (j + 1) 2^57). Elements below
/// 2^57 have no bit in common.
std::uint32_t exact_random_word(const RandomStream& stream, std::uint64_t element, int j);

/// R of StochasticA, B and C for `element`: for k <= 16 the top k bits of field element % n of
/// random_bits(stream, element / n), the word's n = 4 bytes for k <= 8, its n = 2 halves for more; the first field is
/// the low one. For k > 16 the top k bits of exact_random_word(stream, element, 0).
std::uint32_t stochastic_random(const RandomStream& stream, std::uint64_t element, int k);

/// out[i] = the value of `spec` that x[i] rounds to, in the same type. x and out have the same size; out may be x.
///
/// Element i takes the random bits of element i of `stream`. NaN keeps its payload under NanPolicy::Propagate. A value
/// that the type cannot hold (the format is wider) is rounded to it, ties to even. float64 is rounded directly, never
/// through float32. The bits depend neither on the instruction set nor on `threads`, of which each takes one contiguous
/// part.
///
/// Speed: formats with up to 22 mantissa bits and the least exponent -126 or more run at the speed of float32 vectors;
/// the plain ones (signed, with subnormals, saturating) to nearest, away and toward zero at that of memory. The others
/// run in float64 vectors, at about half of it: E8M0, E11, 23 and more bits, stochastic with more than 11. Formats
/// of 52 mantissa bits or with normal numbers below 2^-1022 run by definition from every type, a hundred times slower.
void quantize(const FormatSpec& spec, const Conversion& conversion, std::span<const float> x, std::span<float> out,
              const RandomStream& stream = {}, int threads = 1);
void quantize(const FormatSpec& spec, const Conversion& conversion, std::span<const double> x, std::span<double> out,
              const RandomStream& stream = {}, int threads = 1);
void quantize(const FormatSpec& spec, const Conversion& conversion, std::span<const BFloat16> x,
              std::span<BFloat16> out, const RandomStream& stream = {}, int threads = 1);
void quantize(const FormatSpec& spec, const Conversion& conversion, std::span<const Float16> x, std::span<Float16> out,
              const RandomStream& stream = {}, int threads = 1);

/// The same by definition, one element at a time: what quantize equals bit for bit.
void quantize_reference(const FormatSpec& spec, const Conversion& conversion, std::span<const float> x,
                        std::span<float> out, const RandomStream& stream = {});
void quantize_reference(const FormatSpec& spec, const Conversion& conversion, std::span<const double> x,
                        std::span<double> out, const RandomStream& stream = {});

/// One element of quantize_reference: element `element` of a stream.
float quantize_element(const FormatSpec& spec, const Conversion& conversion, float x, const RandomStream& stream,
                       std::uint64_t element);
double quantize_element(const FormatSpec& spec, const Conversion& conversion, double x, const RandomStream& stream,
                        std::uint64_t element);

}  // namespace bitlaw
