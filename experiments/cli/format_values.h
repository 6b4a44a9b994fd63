#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/format/element.h"

namespace bitlaw {

/// A finite value, exact also outside double: (-1)^negative significand 2^(exponent - 63), with the top bit of the
/// significand set; zero has the significand 0 and the exponent of kZeroExponent, and no sign.
struct ExactValue {
  static constexpr int kZeroExponent = -(1 << 30);
  bool negative = false;
  int exponent = kZeroExponent;  ///< of the leading bit: 2^exponent <= |value| < 2^(exponent + 1)
  std::uint64_t significand = 0;

  /// The value as double; nothing where none is equal.
  std::optional<double> as_double() const;
  bool is_zero() const { return significand == 0; }
  friend bool operator==(const ExactValue&, const ExactValue&) = default;
  friend std::strong_ordering operator<=>(const ExactValue& a, const ExactValue& b);
};

/// A finite value as hex_value (codes.h) writes it.
ExactValue exact_value(std::string_view hex);
/// A finite double.
ExactValue exact_value(double value);

/// The shortest decimal that reads back as the value; outside double a power of two, "2^-300.5", rounded.
std::string value_text(const ExactValue& value);

int total_bits(const Element& element);
/// Codes that have a value; those of a codebook may be fewer than its bits allow. At most 63 bits.
std::uint64_t code_count(const Element& element);
/// hex_value of codes.h, also of codebooks.
std::string hex_value(const Element& element, std::uint64_t code);

/// All finite values in ascending order, both zeros as one. At most 16 bits.
std::vector<ExactValue> finite_values(const Element& element);

}  // namespace bitlaw
