#include "fitting/design/information.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace bitlaw;

namespace {

/// Hoffmann et al. 2022 with beta held: the unknowns are log E, log A, log B and alpha, in the law's own order.
DesignPoint hoffmann() {
  const Law& law = find_law("chinchilla");
  DesignPoint point{.law = law, .natural = {}, .free = {}, .noise = 0.01};
  for (const LawParameter& parameter : law.parameters()) {
    const double value = parameter.name == "E"       ? 1.69
                         : parameter.name == "A"     ? 406.4
                         : parameter.name == "B"     ? 410.7
                         : parameter.name == "alpha" ? 0.34
                                                     : 0.28;
    point.natural.push_back(value);
    point.free.push_back(parameter.name != "beta");
  }
  return point;
}

}  // namespace

TEST_CASE("information: slopes of log L are those of the closed form, without held parameters") {
  const DesignPoint point = hoffmann();
  const double n = 1e9, d = 2e10, a = 406.4 * std::pow(n, -0.34), b = 410.7 * std::pow(d, -0.28), loss = 1.69 + a + b;
  const std::vector<double> slope = point.slope(std::vector{n, d});
  REQUIRE(slope.size() == 4);
  std::size_t k = 0;
  for (const LawParameter& parameter : point.law.parameters()) {
    if (parameter.name == "beta") continue;
    const double closed = parameter.name == "E"   ? 1.69
                          : parameter.name == "A" ? a
                          : parameter.name == "B" ? b
                                                  : -a * std::log(n);  // alpha
    const double scale = parameter.transform == Transform::Log || parameter.name == "alpha" ? 1 : 1.69;
    CHECK(slope[k++] == doctest::Approx(closed / scale / loss / 0.01).epsilon(1e-9));
  }
}

TEST_CASE("information: no runs leave what the bounds say; each run adds its outer product") {
  const DesignPoint point = hoffmann();
  const std::vector<double> before = information_of(point, {});
  std::size_t k = 0;
  for (std::size_t j = 0; j < point.free.size(); ++j) {
    const LawParameter& parameter = point.law.parameters()[j];
    if (!point.free[j]) continue;
    const bool log = parameter.transform == Transform::Log;
    const double width = log ? std::log(parameter.upper / parameter.lower) : parameter.upper - parameter.lower;
    CHECK(1 / before[k * 5] == doctest::Approx(width * width / 12));  // the variance of an even distribution
    ++k;
  }
  const std::vector<double> one{1e8, 2e9}, two{1e9, 2e9};
  const std::vector<double> after = information_of(point, {one, two});
  const auto x = point.slope(one), y = point.slope(two);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      CHECK(after[i * 4 + j] - before[i * 4 + j] == doctest::Approx(x[i] * x[j] + y[i] * y[j]));
    }
  }
}

TEST_CASE("information: a parameter as an aim is its own coordinate among the free ones") {
  const DesignPoint point = hoffmann();
  std::size_t at = 0;
  for (std::size_t j = 0; j < point.free.size(); ++j) {
    if (!point.free[j]) continue;
    std::vector<double> unit(4);
    unit[at++] = 1;
    CHECK(point.coordinate(j) == unit);
  }
}
