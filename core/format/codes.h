#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/format/format_spec.h"

namespace bitlaw {

// One code or one value at a time; arrays are in encode.h. What takes or gives a double needs a format with
// is_exact_in_double().

/// The value of a code, by the definition in format_spec.h. 0 <= code < 2^total_bits(). NaN codes give a quiet NaN. The
/// code that a symmetric integer format leaves out gives what hardware reads, -2^m steps.
double decode(const FormatSpec& spec, std::uint64_t code);

/// Whether rounding can give decode(spec, code), NaN included: every code but the one that a symmetric integer format
/// leaves out.
bool is_value_code(const FormatSpec& spec, std::uint64_t code);

/// The code of a value of the format: decode(encode(v)) == v with the sign of zero kept. NaN gives the canonical NaN
/// code (Ieee: quiet, no payload). Nothing when the format has no such value.
std::optional<std::uint64_t> encode(const FormatSpec& spec, double v);

/// The code that stands for NaN; nothing where the format has none.
std::optional<std::uint64_t> nan_code(const FormatSpec& spec);

/// The values of all codes in the order of codes. At most 16 bits.
std::vector<double> all_values(const FormatSpec& spec);

/// The value of a code as C writes it in hexadecimal, "-0x1.8p-3", "0x0p+0", "inf", "nan"; exact also for values
/// outside double. The first digit is 1 for every number but zero.
std::string hex_value(const FormatSpec& spec, std::uint64_t code);

/// Neighbours among the values of the format, infinities and, where there is one, minus zero included (IEEE 754-2019
/// §5.3.1 nextUp: both zeros count as one, the one before the least positive value is +0 or, from below, -0). v is a
/// value of the format; beyond its last one, v itself. NaN stays NaN.
double next_up(const FormatSpec& spec, double v);
double next_down(const FormatSpec& spec, double v);

/// Distance of the two values that enclose |v|, the least positive value at zero and below; at a power of two, to the
/// value above. v is finite, |v| <= max_finite(), any double.
double ulp(const FormatSpec& spec, double v);

}  // namespace bitlaw
