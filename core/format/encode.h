#pragma once

#include <cstdint>
#include <span>

#include "core/format/format_spec.h"
#include "core/format/rounding.h"
#include "core/format/storage_types.h"
#include "core/random/philox.h"

namespace bitlaw {

/// codes[i] = the code of the value of `spec` that x[i] rounds to: round, then saturate, then encode.
///
/// x and codes have the same size. T: float, double, BFloat16 or Float16. Code: std::uint8_t to std::uint64_t, of at
/// least spec.total_bits() bits. Element i takes the random bits of element i of `stream`, as in quantize():
/// decode(encode(x)) == quantize(x). NaN has one code, nan_code(spec).
/// Throws InputError, with nothing said of the codes, when an x[i] becomes a NaN that the format cannot hold
/// (NanPolicy::Propagate); the message gives the first such i.
template <typename T, typename Code>
void encode(const FormatSpec& spec, const Conversion& conversion, std::span<const T> x, std::span<Code> codes,
            const RandomStream& stream = {}, int threads = 1);

/// The same by definition, one element at a time.
template <typename T, typename Code>
void encode_reference(const FormatSpec& spec, const Conversion& conversion, std::span<const T> x, std::span<Code> codes,
                      const RandomStream& stream = {});

/// out[i] = the value of codes[i] in T; a value that T cannot hold is rounded to it, ties to even. Codes of
/// 2^total_bits() or more are a bug.
template <typename T, typename Code>
void decode(const FormatSpec& spec, std::span<const Code> codes, std::span<T> out, int threads = 1);

/// The same by definition, one element at a time.
template <typename T, typename Code>
void decode_reference(const FormatSpec& spec, std::span<const Code> codes, std::span<T> out);

}  // namespace bitlaw
