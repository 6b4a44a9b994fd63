#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/format/element.h"

namespace bitlaw {

/// A format as it was asked for.
struct NamedFormat {
  std::string name;
  Element element;
  std::string source;  ///< the document that defines it, or that the name follows the pattern
};

/// The format of a name that parse_element reads. InputError for any other.
NamedFormat named_format(const std::string& name);
/// The catalog and the named codebook.
std::vector<NamedFormat> catalog_formats();

/// "nan", "inf", "-0", and what the format lacks: "no zero", "no subnormals".
std::vector<std::string> specials_of(const Element& element);

/// Widths, range and precision with `digits` significant digits; "-" where a format has no such thing.
struct FormatTexts {
  std::string bits, sign_bits, exponent_bits, mantissa_bits, bias;
  std::string max, min_normal, min_subnormal;
  std::string least;    ///< the least finite value: of signed formats a negative one
  std::string step;     ///< of integers and fixed point, which have no exponent
  std::string epsilon;  ///< 2^-M, the distance from 1 to the next number where both are normal
};

/// Digits of the facts of one format: float32 needs as many.
inline constexpr int kFactDigits = 9;

FormatTexts format_texts(const Element& element, int digits);

/// What people want to know of a format: label and text.
std::vector<std::pair<std::string, std::string>> facts_of(const NamedFormat& format);

/// How negative values are coded: "sign bit", "two's complement", "two's complement, symmetric"; "-" without a sign and
/// for lists.
std::string sign_coding_of(const Element& element);

/// The same for programs; null for numbers outside double.
nlohmann::json facts_json(const NamedFormat& format);

}  // namespace bitlaw
