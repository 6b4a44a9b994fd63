#include "fitting/uncertainty/diagnosis.h"

#include <doctest/doctest.h>

#include <cmath>

#include "fitting/fit/fit.h"
#include "fitting/laws/text_law.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {

const std::vector<double> kX{1, 2, 3, 4, 6, 7, 8, 10, 11, 12, 15, 25};
const std::vector<double> kY{3.1, 4.9, 7.2, 9.1, 12.7, 15.4, 16.8, 21.3, 22.9, 24.6, 31.5, 50.2};

/// Slope and level of a straight line through all points but `without`.
std::pair<double, double> line(std::size_t without) {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (std::size_t i = 0; i < kX.size(); ++i) {
    if (i == without) continue;
    n += 1, x += kX[i], y += kY[i], xx += kX[i] * kX[i], xy += kX[i] * kY[i];
  }
  const double slope = (n * xy - x * y) / (n * xx - x * x);
  return {slope, (y - slope * x) / n};
}

FitRecord straight_line(bool jackknife) {
  LawText text{.formula = "a + b*x", .inputs = {"x"}};
  for (const char* name : {"a", "b"}) text.parameters[name] = {.lower = -1e3, .upper = 1e3, .starts = {1}};
  Observations observations{.loss = kY};
  for (std::size_t i = 0; i < kX.size(); ++i) {
    observations.inputs.push_back({kX[i]});
    observations.ids.push_back("point" + std::to_string(i));
  }
  observations.cluster = observations.ids;
  return fit_law(
      *text_law(text), observations,
      {.objective = {.loss = Loss::LeastSquares, .residual = Residual::Plain}, .bootstrap = 0, .jackknife = jackknife},
      "line");
}

}  // namespace

TEST_CASE("diagnosis: leverages of a straight line are 1/n + (x - mean)^2 / Sxx") {
  const FitRecord fit = straight_line(false);
  const auto n = static_cast<double>(kX.size());
  double mean = 0, sxx = 0;
  for (const double x : kX) mean += x / n;
  for (const double x : kX) sxx += (x - mean) * (x - mean);
  REQUIRE(fit.diagnosis.leverage.size() == kX.size());
  for (std::size_t i = 0; i < kX.size(); ++i) {
    CHECK(fit.diagnosis.leverage[i] == relative(1 / n + (kX[i] - mean) * (kX[i] - mean) / sxx, 1e-9));
  }
}

TEST_CASE("diagnosis: Cook's distance is what leaving a point out moves all predictions by") {
  const FitRecord fit = straight_line(false);
  const auto [slope, level] = line(kX.size());
  double variance = 0;
  for (std::size_t i = 0; i < kX.size(); ++i) variance += std::pow(kY[i] - level - slope * kX[i], 2) / 10;  // n - q
  for (std::size_t i = 0; i < kX.size(); ++i) {
    const auto [other_slope, other_level] = line(i);
    double moved = 0;
    for (const double x : kX) moved += std::pow(level - other_level + (slope - other_slope) * x, 2);
    CHECK(fit.diagnosis.cook[i] == relative(moved / (2 * variance), 1e-6));
  }
}

TEST_CASE("diagnosis: shifts without a run are those of the refits, in standard errors") {
  const FitRecord fit = straight_line(true);
  REQUIRE(fit.diagnosis.left_out.size() == kX.size());
  CHECK(fit.diagnosis.left_out[11] == "point11");
  for (std::size_t i = 0; i < kX.size(); ++i) {
    const auto [slope, level] = line(i);
    CHECK(std::abs(fit.diagnosis.shifts[2 * i] * fit.parameters[0].standard_error -
                   (level - fit.parameters[0].estimate)) < 1e-6);
    CHECK(std::abs(fit.diagnosis.shifts[2 * i + 1] * fit.parameters[1].standard_error -
                   (slope - fit.parameters[1].estimate)) < 1e-6);
  }
}

TEST_CASE("diagnosis: two columns at an angle have singular values in the ratio of its half's tangent") {
  // Scaled to norm 1, columns 1 and x have the cosine c = sum x / sqrt(n sum x^2): singular values sqrt(1 +- c).
  const FitRecord fit = straight_line(false);
  double sum = 0, squares = 0;
  for (const double x : kX) sum += x, squares += x * x;
  const double c = sum / std::sqrt(static_cast<double>(kX.size()) * squares);
  REQUIRE(fit.diagnosis.singular_values.size() == 2);
  CHECK(fit.diagnosis.singular_values[0] == 1);
  CHECK(fit.diagnosis.singular_values[1] == relative(std::sqrt((1 - c) / (1 + c)), 1e-9));
  // The last direction: one up, the other down.
  CHECK(std::abs(fit.diagnosis.directions[2]) == relative(std::sqrt(0.5), 1e-9));
  CHECK(fit.diagnosis.directions[2] == relative(-fit.diagnosis.directions[3], 1e-9));
}

TEST_CASE("diagnosis: formats whose residuals are apart have Kruskal and Wallis' H, and are warned of") {
  // Ranks 1-4, 5-8, 9-12: H = 12 / (12 * 13) (10^2 + 26^2 + 42^2) / 4 - 3 * 13, chi-square with 2 degrees.
  Observations observations;
  std::vector<double> residuals;
  for (int i = 0; i < 12; ++i) {
    observations.inputs.push_back({1e8, 1e10});
    observations.format.push_back(i < 4 ? "float32" : i < 8 ? "mxfp8" : "mxfp4");
    residuals.push_back(0.01 * i * i);
  }
  const auto tests = residual_tests(find_law("chinchilla"), observations, residuals);
  REQUIRE(tests.size() == 1);  // neither N nor D varies
  CHECK(tests[0].against == "format");
  CHECK(tests[0].pattern == "groups");
  const double h = 12.0 / (12 * 13) * (100 + 676 + 1764) / 4 - 39;
  CHECK(tests[0].statistic == relative(h, 1e-12));
  CHECK(tests[0].probability == relative(std::exp(-h / 2), 1e-12));
  REQUIRE(residual_warnings(tests).size() == 1);
  CHECK(residual_warnings(tests)[0].starts_with("residuals differ between formats (Kruskal-Wallis H = 9.8"));
}

TEST_CASE("diagnosis: the steps of a curve are tested, the numbers of its schedules are not") {
  const Law& law = find_law("kaplan_ns");
  Observations observations;
  std::vector<double> residuals;
  for (int i = 1; i <= 20; ++i) {
    observations.inputs.push_back({1e8, 100.0 * i});
    residuals.push_back(0.001 * i);
  }
  const auto tests = residual_tests(law, observations, residuals);
  REQUIRE(tests.size() == 2);
  CHECK(tests[0].against == "S");
  CHECK(tests[0].statistic == relative(1, 1e-12));
}
