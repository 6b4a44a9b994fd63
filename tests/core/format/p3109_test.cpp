#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>

#include "core/format/codes.h"
#include "tests/support/reference_data.h"

using namespace bitlaw;

namespace {

/// Binary{K}p{P}{s|u}{e|f} of the P3109 interim report v4.0: bias 2^(K-P-1) signed, 2^(K-P) unsigned. A finite format
/// keeps its NaN, at the code of minus zero or at the top.
FormatSpec p3109_format(const std::string& name) {
  const int total = name[6] - '0';
  const int precision = name[8] - '0';
  const bool is_signed = name[9] == 's';
  const bool extended = name[10] == 'e';
  const int exponent_bits = total - precision + (is_signed ? 0 : 1);
  const int bias_exponent = exponent_bits - 1;
  // 2^-1 is not a bias of ours; it needs K = P, where no exponent field is left.
  REQUIRE(bias_exponent >= 0);
  const TopCodes top = extended ? TopCodes::P3109 : is_signed ? TopCodes::Fnuz : TopCodes::NanOnly;
  return {.exponent_bits = exponent_bits,
          .mantissa_bits = precision - 1,
          .bias = 1 << bias_exponent,
          .top = top,
          .is_signed = is_signed};
}

}  // namespace

TEST_CASE("P3109: decode gives every value of the working group's tables for K = 3 to 8") {
  const auto path = reference_data("p3109/values_K3_K8.csv");  // lines "format,code,value"
  if (path.empty()) return;
  std::ifstream table(path);
  std::string line;
  std::getline(table, line);
  REQUIRE(line == "format,code,value");
  int checked = 0;
  while (std::getline(table, line)) {
    const auto first = line.find(',');
    const auto second = line.find(',', first + 1);
    const std::string name = line.substr(0, first);
    const auto code = std::stoull(line.substr(first + 1, second - first - 1), nullptr, 16);
    const double expected = std::strtod(line.c_str() + second + 1, nullptr);
    CAPTURE(line);
    const double value = decode(p3109_format(name), code);
    CHECK((value == expected || (std::isnan(value) && std::isnan(expected))));
    ++checked;
  }
  CHECK(checked == 13296);
}
