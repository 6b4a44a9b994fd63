#include "experiments/cli/format_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/base/check.h"
#include "core/format/codes.h"

namespace bitlaw {

std::strong_ordering operator<=>(const ExactValue& a, const ExactValue& b) {
  if (a.negative != b.negative) return a.negative ? std::strong_ordering::less : std::strong_ordering::greater;
  const auto magnitudes = a.exponent != b.exponent ? a.exponent <=> b.exponent : a.significand <=> b.significand;
  return a.negative ? 0 <=> magnitudes : magnitudes;
}

ExactValue exact_value(std::string_view hex) {
  ExactValue value;
  const bool negative = hex.starts_with('-');
  hex.remove_prefix(negative ? 3 : 2);  // "0x"
  const std::size_t p = hex.find('p');
  BITLAW_CHECK(p != std::string_view::npos, "'{}' is not finite", hex);
  std::string digits(hex.substr(0, p));
  std::erase(digits, '.');
  BITLAW_CHECK(digits.size() <= 14, "{} digits", digits.size());
  std::uint64_t significand = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), significand, 16);
  if (significand == 0) return value;
  // The first digit is 1: it is the top bit.
  value.negative = negative;
  value.significand = significand << (63 - 4 * (digits.size() - 1));
  const std::string exponent(hex.substr(p + 1));  // with its sign
  value.exponent = std::atoi(exponent.c_str());
  return value;
}

ExactValue exact_value(double value) {
  if (value == 0) return {};
  int exponent = 0;
  const double fraction = std::frexp(std::abs(value), &exponent);  // in [0.5, 1)
  return {value < 0, exponent - 1, static_cast<std::uint64_t>(std::ldexp(fraction, 64))};
}

std::optional<double> ExactValue::as_double() const {
  const double magnitude = std::ldexp(static_cast<double>(significand), exponent - 63);
  const double value = negative ? -magnitude : magnitude;
  return std::isfinite(value) && exact_value(value) == *this ? std::optional(value) : std::nullopt;
}

int total_bits(const Element& element) {
  return std::visit([](const auto& e) { return e.total_bits(); }, element);
}

std::uint64_t code_count(const Element& element) {
  if (const auto* book = std::get_if<Codebook>(&element)) return book->values().size();
  return std::get<FormatSpec>(element).code_count();
}

std::string hex_value(const Element& element, std::uint64_t code) {
  if (const auto* spec = std::get_if<FormatSpec>(&element)) return hex_value(*spec, code);
  const double value = std::get<Codebook>(element).values()[code];
  return hex_value(kBinary64, std::bit_cast<std::uint64_t>(value));
}

std::vector<ExactValue> finite_values(const Element& element) {
  BITLAW_CHECK(total_bits(element) <= 16, "a list of {} bits", total_bits(element));
  std::vector<ExactValue> values;
  const auto* spec = std::get_if<FormatSpec>(&element);
  for (std::uint64_t code = 0; code < code_count(element); ++code) {
    if (spec != nullptr && !is_value_code(*spec, code)) continue;
    const std::string hex = hex_value(element, code);
    if (hex.find('p') != std::string::npos) values.push_back(exact_value(hex));
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::string value_text(const ExactValue& value) {
  if (const auto number = value.as_double()) return fmt::format("{}", *number);
  return fmt::format("{}2^{:.9g}", value.negative ? "-" : "",
                     std::log2(static_cast<double>(value.significand)) - 63 + value.exponent);
}

}  // namespace bitlaw
