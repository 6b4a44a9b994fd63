#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/format/format_spec.h"

namespace bitlaw {

/// A format as it was asked for.
struct NamedFormat {
  std::string name;
  FormatSpec spec;
  std::string source;  ///< the document that defines it, or that the name follows the pattern
};

/// The format of a name that parse_format reads. InputError for any other.
NamedFormat named_format(const std::string& name);
std::vector<NamedFormat> catalog_formats();

/// "nan", "inf", "-0", and what the format lacks: "no zero", "no subnormals".
std::vector<std::string> specials_of(const FormatSpec& spec);

/// Range and precision with `digits` significant digits; "-" where a format has no such thing.
struct RangeTexts {
  std::string max, min_normal, min_subnormal;
  std::string step;     ///< of integers and fixed point, which have no exponent
  std::string epsilon;  ///< 2^-M, the distance from 1 to the next number where both are normal
};
RangeTexts range_texts(const FormatSpec& spec, int digits);

/// What people want to know of a format: label and text.
std::vector<std::pair<std::string, std::string>> facts_of(const NamedFormat& format);

/// The same for programs; null for numbers outside double.
nlohmann::json facts_json(const NamedFormat& format);

}  // namespace bitlaw
