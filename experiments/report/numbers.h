#pragma once

#include <string>

namespace bitlaw {

/// Numbers as the reports show them. None ever shows "nan": a missing number is "–", infinities are "∞" and "-∞".

/// Four significant digits with k, M, G, T for 10^3, 10^6, 10^9, 10^12: 262144 is "262.1k", 10000 is "10k".
std::string format_count(double value);

/// `digits` significant digits in the shortest form: 0.34, 406.4, 1.2e-05.
std::string format_value(double value, int digits = 4);

/// Four decimals, for losses.
std::string format_loss(double value);

/// The same with its sign, for differences.
std::string format_difference(double value);

/// "0.31 to 0.37", or "–" when an end is missing.
std::string format_interval(double low, double high);

}  // namespace bitlaw
