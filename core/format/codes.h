#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/format/format_spec.h"

namespace bitlaw {

/// The value of a code, by the definition in format_spec.h. 0 <= code < 2^total_bits(). NaN codes give a quiet NaN.
double decode(const FormatSpec& spec, std::uint64_t code);

/// The code of a value of the format: decode(encode(v)) == v with the sign of zero kept. NaN gives the canonical NaN
/// code (Ieee: quiet, no payload). Nothing when the format has no such value.
std::optional<std::uint64_t> encode(const FormatSpec& spec, double v);

/// The values of all codes in the order of codes. At most 16 bits.
std::vector<double> all_values(const FormatSpec& spec);

}  // namespace bitlaw
