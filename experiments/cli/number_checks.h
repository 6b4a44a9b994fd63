#pragma once

#include <CLI/CLI.hpp>
#include <string_view>

namespace bitlaw {

/// Checks of numeric flags. Unlike CLI11's own they refuse NaN and infinity, which no flag of ours means anything by.
CLI::Validator positive_number();
CLI::Validator number_from_zero();
CLI::Validator number_between(double low, double high);  ///< ends included

/// The first of them for a number that is already read: InputError that names `flag`.
void check_positive(std::string_view flag, double value);

}  // namespace bitlaw
