#pragma once

#include <string>

namespace bitlaw {

/// The format of this name: its numbers and, up to 8 bits, a line per code: hexadecimal, binary with gaps between sign,
/// exponent and fraction, value, and what it is.
std::string format_codes_text(const std::string& name);

/// Every code of a format of at most 16 bits: the line "code,value", then lines such as "0x3f,0x1.8p+4", in the order
/// of codes. Values as C's %a writes them, "nan", "inf", "-inf"; exact also where they lie outside double. InputError
/// for wider formats.
std::string format_codes_csv(const std::string& name);

/// The numbers of the format and, up to 16 bits, every code; values outside double, infinities and NaN are null.
std::string format_codes_json(const std::string& name);

}  // namespace bitlaw
