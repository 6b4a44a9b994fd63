#pragma once

#include <string>

namespace bitlaw {

/// Two formats side by side: their numbers, how many values they have, share and have alone, and how many positive ones
/// lie in each binade. Values are counted where one of the formats has at most 16 bits; -0 and NaN are no values.
std::string format_comparison_text(const std::string& a, const std::string& b);
/// The same, with all values that one format has alone. null: not counted, or a value outside double.
std::string format_comparison_json(const std::string& a, const std::string& b);

}  // namespace bitlaw
