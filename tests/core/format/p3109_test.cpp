#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/format/catalog.h"
#include "core/format/codes.h"
#include "core/format/encode.h"
#include "tests/support/bits.h"
#include "tests/support/reference_data.h"

using namespace bitlaw;

namespace {

/// The values of each format by name, as the tables write them, in the order of codes.
using Tables = std::map<std::string, std::vector<std::string>>;

/// A file of lines "format,code,value" under that heading.
Tables read_tables(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  REQUIRE(line == "format,code,value");
  Tables tables;
  while (std::getline(file, line)) {
    const auto first = line.find(',');
    const auto second = line.find(',', first + 1);
    auto& values = tables[line.substr(0, first)];
    REQUIRE(std::stoull(line.substr(first + 1, second - first - 1), nullptr, 16) == values.size());
    values.push_back(line.substr(second + 1));
  }
  return tables;
}

/// The same number with a one before the point, whatever its exponent: "-0x0.18p-12" is "-0x1.8p-16".
std::string leading_one(std::string_view text) {
  const bool negative = text.front() == '-';
  const auto point = text.find('.');
  const auto p = text.find('p');
  if (p == std::string_view::npos) return std::string(text == "NaN" ? "nan" : negative ? "-inf" : "inf");
  const auto first = static_cast<std::size_t>(negative ? 3 : 2);  // after "0x"
  const std::string_view whole = text.substr(first, std::min(point, p) - first);
  const std::string_view fraction = point < p ? text.substr(point + 1, p - point - 1) : "";
  const auto digits = std::stoull(std::string(whole) + std::string(fraction), nullptr, 16);
  if (digits == 0) return "0x0p+0";
  const int top = static_cast<int>(std::bit_width(digits)) - 1;
  const int exponent = std::stoi(std::string(text.substr(p + 1))) - 4 * static_cast<int>(fraction.size()) + top;
  std::string hex;
  for (std::uint64_t rest = digits << (63 - top) << 1; rest != 0; rest <<= 4) hex += "0123456789abcdef"[rest >> 60];
  return (negative ? "-0x1" : "0x1") + (hex.empty() ? hex : "." + hex) + (exponent < 0 ? "p" : "p+") +
         std::to_string(exponent);
}

void check_hexadecimal(const FormatSpec& spec, const std::vector<std::string>& expected) {
  std::vector<std::string> wrong;
  for (std::uint64_t code = 0; code < expected.size(); ++code) {
    if (hex_value(spec, code) != leading_one(expected[code])) wrong.push_back(expected[code]);
  }
  CHECK(wrong.empty());
}

/// One code or value at a time, and whole arrays.
void check_both_ways(const FormatSpec& spec, const std::vector<std::string>& expected) {
  std::vector<double> values;
  std::vector<std::uint32_t> codes;
  for (const std::string& text : expected) {
    codes.push_back(static_cast<std::uint32_t>(values.size()));
    values.push_back(std::strtod(text.c_str(), nullptr));
  }
  int wrong = 0;
  for (std::uint32_t code : codes) {
    const double value = decode(spec, code);
    const bool same = std::isnan(values[code]) ? std::isnan(value) : same_bits(value, values[code]);
    wrong += same && encode(spec, values[code]) == code ? 0 : 1;
  }
  CHECK(wrong == 0);
  std::vector<std::uint32_t> encoded(codes.size());
  encode<double, std::uint32_t>(spec, {RoundingMode::TiesToEven, Overflow::ToInfinity}, values, encoded);
  CHECK(encoded == codes);
  std::vector<double> decoded(codes.size());
  decode<double, std::uint32_t>(spec, codes, decoded);
  for (std::uint32_t code : codes) {
    wrong += std::isnan(values[code]) ? !std::isnan(decoded[code]) : !same_bits(decoded[code], values[code]);
  }
  CHECK(wrong == 0);
}

/// How many codes the file has.
std::size_t check_file(const std::filesystem::path& path) {
  std::size_t count = 0;
  for (const auto& table : read_tables(path)) {
    CAPTURE(table.first);  // not a structured binding: clang 14 cannot capture one
    const FormatSpec spec = parse_format(table.first);
    const std::vector<std::string>& expected = table.second;
    REQUIRE(spec.code_count() == expected.size());
    check_hexadecimal(spec, expected);
    if (spec.is_exact_in_double()) check_both_ways(spec, expected);
    count += expected.size();
  }
  return count;
}

}  // namespace

TEST_CASE("P3109: codes and values are those of the working group's tables, both ways, for K = 3 to 8") {
  const auto path = reference_data("p3109/values_K3_K8.csv");
  if (!path.empty()) CHECK(check_file(path) == 13296);
}

TEST_CASE("P3109: the same for larger K, where the folder of reference data has that file") {
  const auto small = reference_data("p3109/values_K3_K8.csv");
  const auto path = small.parent_path() / "values_K9_K16.csv";
  // For each K, 2 (K - 1) signed and 2 K unsigned formats of 2^K codes.
  if (std::filesystem::exists(path)) CHECK(check_file(path) == 7588864);
}
