#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>

#include "core/format/catalog.h"
#include "core/format/codes.h"
#include "tests/support/reference_data.h"

using namespace bitlaw;

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
    const double value = decode(parse_format(name), code);
    CHECK((value == expected || (std::isnan(value) && std::isnan(expected))));
    ++checked;
  }
  CHECK(checked == 13296);
}
