#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/format/rounding.h"

namespace bitlaw {

/// A conversion as typed; unset: the default.
struct ConversionWords {
  std::string round = "ties_to_even";
  std::optional<int> bits;
  std::optional<std::string> overflow, nan, power_ties;
};

/// What messages call them, and what they write between such a name and its value.
struct ConversionNames {
  std::string_view round = "--round", bits = "--bits", overflow = "--overflow", nan = "--nan",
                   power_ties = "--power-ties", separator = " ";
};

/// The conversion that the words mean: kRoundingWords (slot_yaml.h), kOverflowNames, kNanPolicyNames, kPowerTiesNames.
/// InputErrors name what is unknown, missing or would be ignored.
Conversion conversion_of(const ConversionWords& words, const ConversionNames& names = {});

}  // namespace bitlaw
