#include "fitting/predict/collapse.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "tests/fitting/relative.h"

namespace bitlaw {
namespace {

LossCurve curve(const std::function<double(double)>& loss) {
  LossCurve run;
  for (int i = 1; i <= 1000; ++i) {
    run.x.push_back(i / 1000.0);
    run.loss.push_back(loss(run.x.back()));
  }
  return run;
}

TEST_CASE("collapse: one power law above its floor collapses for every size, with a wrong floor it does not") {
  std::vector<CurveGroup> groups;
  for (const double height : {0.4, 0.7, 1.3}) {
    groups.push_back({"", {curve([&](double x) { return 1.5 + height * std::pow(x, -0.4); })}});
  }
  const Collapse right = collapse_of(groups, 1.5, 0.1, 90);
  CHECK(right.mean_spread < 1e-12);
  CHECK(std::isnan(right.mean_noise));  // one seed each
  CHECK(collapse_of(groups, 1.3, 0.1, 90).mean_spread > 0.02);
}

TEST_CASE("collapse: the spread of two shapes is their difference over the square root of two") {
  const std::vector<CurveGroup> groups{{"", {curve([](double x) { return 1 + std::pow(x, -0.2); })}},
                                       {"", {curve([](double x) { return 1 + 3 * std::pow(x, -0.5); })}}};
  for (const CollapsePoint& p : collapse_of(groups, 1, 0.1, 9).points) {
    const double one = std::pow(p.x, -0.2), other = std::pow(p.x, -0.5);
    CHECK(p.spread ==
          relative(std::abs(one - other) / std::numbers::sqrt2 / ((one + other) / 2), 1e-4));  // between points
  }
}

TEST_CASE("collapse: what seeds share along a curve is noise that normalizing removes, what they do not share stays") {
  // Two sizes, two seeds each, whose reducible losses are 1 -+ 0.1 of their mean: the sample deviation is 0.1 sqrt 2.
  std::vector<CurveGroup> shared, apart;
  for (const double height : {0.5, 2.0}) {
    const auto run = [&](double all, double early) {
      return curve([=](double x) { return 1 + height * std::pow(x, -0.5) * (x < 1 ? early : 1) * all; });
    };
    shared.push_back({"", {run(0.9, 1), run(1.1, 1)}});
    apart.push_back({"", {run(1, 0.9), run(1, 1.1)}});
  }
  const Collapse super = collapse_of(shared, 1, 0.1, 30);
  CHECK(super.mean_noise == relative(0.1 * std::numbers::sqrt2, 1e-9));
  CHECK(super.mean_spread < 1e-12);
  CHECK(super.below_noise == relative(1, 1e-12));
  // One run of each size: (0.9, 0.9), (0.9, 1.1), (1.1, 0.9), (1.1, 1.1) have variances 0, 0.02, 0.02, 0; mean 0.01.
  const Collapse none = collapse_of(apart, 1, 0.1, 30);
  CHECK(none.mean_noise == relative(0.1 * std::numbers::sqrt2, 1e-9));
  CHECK(none.mean_spread == relative(0.1, 1e-9));
}

TEST_CASE("collapse: a curve between its points is the line through them") {
  const LossCurve run{{0.2, 0.6, 1}, {5, 3, 1}};
  CHECK(run.at(0.4) == doctest::Approx(4));
  CHECK(run.at(0.1) == 5);
  CHECK(run.at(1) == 1);
}

}  // namespace
}  // namespace bitlaw
