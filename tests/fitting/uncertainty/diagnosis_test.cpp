#include "fitting/uncertainty/diagnosis.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "fitting/fit/fit.h"
#include "fitting/laws/text_law.h"
#include "fitting/uncertainty/synthetic_runs.h"
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

TEST_CASE("diagnosis: rows that repeat their run's residual are tested as one run, not as many") {
  Observations singles, repeated;
  std::vector<double> single_residuals, repeated_residuals;
  for (int i = 0; i < 12; ++i) {
    singles.inputs.push_back({1e8 * (1 + i % 4), 1e9 * (1 + i)});
    singles.cluster.push_back(std::to_string(i));
    singles.format.push_back(i % 2 == 0 ? "mxfp8" : "mxfp4");
    single_residuals.push_back(0.01 * ((i * 5) % 12) - 0.05);
    for (int row = 0; row < 7; ++row) {
      repeated.inputs.push_back(singles.inputs.back());
      repeated.cluster.push_back(singles.cluster.back());
      repeated.format.push_back(singles.format.back());
      repeated_residuals.push_back(single_residuals.back());
    }
  }
  const Law& law = find_law("chinchilla");
  const auto one = residual_tests(law, singles, single_residuals);
  const auto seven = residual_tests(law, repeated, repeated_residuals);
  REQUIRE(one.size() == 7);  // trend and bend of N, D and D/N, and formats
  REQUIRE(seven.size() == one.size());
  for (std::size_t k = 0; k < one.size(); ++k) {
    CAPTURE(one[k].against);
    CHECK(seven[k].pattern == one[k].pattern);
    CHECK(std::abs(seven[k].statistic - one[k].statistic) < 1e-12);
    CHECK(seven[k].probability == relative(one[k].probability, 1e-12));
  }
}

TEST_CASE("diagnosis: within runs the probability is that of their slopes' mean by Student's t") {
  // Four runs of three steps with residuals b + a (-1, 0, 1), a = 1 .. 4: t = 2.5 / (sqrt(5/3) / 2) = sqrt(15) with 3
  // degrees of freedom, P(|T| > t) = 1 - 2/pi (sqrt(5) / 6 + atan(sqrt(5))); the correlation is 10 / sqrt(4 * 30).
  Observations observations;
  std::vector<double> residuals;
  for (int run = 1; run <= 4; ++run) {
    for (int row = -1; row <= 1; ++row) {
      observations.inputs.push_back({1e8, 1000.0 * (row + 2)});
      observations.cluster.push_back(std::to_string(run));
      residuals.push_back(10 * run * run + run * row);
    }
  }
  const Law& law = find_law("kaplan_ns");
  const auto tests =
      residual_tests(law, observations, residuals, std::vector<double>(12, 1.0));  // a level explains none
  REQUIRE(tests.size() == 2);                                                      // too few runs for their means
  CHECK(tests[0].against == "S");
  CHECK(tests[0].pattern == "trend within runs");
  CHECK(tests[0].statistic == relative(10 / std::sqrt(120), 1e-9));
  const double five = std::sqrt(5.0);
  CHECK(tests[0].probability == relative(1 - 2 / std::acos(-1) * (five / 6 + std::atan(five)), 1e-9));
  CHECK(tests[1].pattern == "bend within runs");
  CHECK(tests[1].probability == 1);  // no bend at all
}

TEST_CASE("diagnosis: a slope within runs that a parameter would explain is no fault of the law") {
  Observations observations;
  std::vector<double> residuals, jacobian;
  for (int run = 1; run <= 6; ++run) {
    for (int row = -1; row <= 1; ++row) {
      observations.inputs.push_back({1e8, 1000.0 * (row + 2)});
      observations.cluster.push_back(std::to_string(run));
      residuals.push_back(std::cos(run) + row + 1e-3 * std::sin(17 * run + row));
      jacobian.insert(jacobian.end(), {1.0, static_cast<double>(row)});
    }
  }
  const Law& law = find_law("kaplan_ns");
  const auto blamed = residual_tests(law, observations, residuals, std::vector<double>(18, 1.0));
  const auto explained = residual_tests(law, observations, residuals, jacobian);
  REQUIRE(explained.size() == 2);
  CHECK(blamed[0].probability < 1e-6);
  CHECK(explained[0].probability == relative(1, 1e-6));  // their mean slope is zero
}

TEST_CASE("diagnosis: runs of ten rows that share their noise give few false alarms, and a bend along them is found") {
  const Law& law = find_law("chinchilla");
  int alarms = 0, found = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::vector<std::vector<double>> design = chinchilla_design();
    const Observations shared = planted(law, kChinchillaTruth, design, 0.005, seed);
    std::vector<std::vector<double>> rows;
    for (const auto& run : design) {
      for (int part = 1; part <= 10; ++part) rows.push_back({run[0], run[1] * part / 10});
    }
    Observations own = planted(law, kChinchillaTruth, rows, 0.001, seed + 1000);
    std::vector<double> residuals, bent;
    const std::vector<double> level(rows.size(), 1.0);  // d residual / d log E of a law L = E
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t run = i / 10;
      own.cluster[i] = std::to_string(run);
      residuals.push_back(std::log(own.loss[i] / law.predict(kChinchillaTruth, rows[i])) +
                          std::log(shared.loss[run] / law.predict(kChinchillaTruth, design[run])));
      bent.push_back(residuals.back() + 0.001 * std::abs(static_cast<double>(i % 10) - 4.5));
    }
    alarms += !residual_warnings(residual_tests(law, own, residuals, level)).empty();
    const auto warnings = residual_warnings(residual_tests(law, own, bent, level));
    found += std::any_of(warnings.begin(), warnings.end(), [](const std::string& warning) {
      return warning.starts_with("residuals are high at both ends and low in the middle with D within runs");
    });
  }
  CHECK(alarms <= 8);  // 2 expected; more than 8 has a probability of 2e-4
  CHECK(found == 200);
}

TEST_CASE("diagnosis: the right law, fitted to runs whose rows share noise, is seldom warned of") {
  SyntheticDesign design = synthetic_design("chinchilla");
  const auto runs = std::exchange(design.inputs, {});
  design.runs.clear();
  design.run_noise = 0.005, design.row_noise = 0.001;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    for (int part = 1; part <= 10; ++part) {
      design.inputs.push_back({runs[run][0], runs[run][1] * part / 10});
      design.runs.push_back(std::to_string(run));
    }
  }
  int alarms = 0;
  for (std::uint32_t set = 0; set < 100; ++set) {
    const FitRecord fit =
        fit_law(*design.law, synthetic_losses(design, 3, set), {.bootstrap = 0, .starts = 1}, "right");
    alarms += !residual_warnings(fit.diagnosis.residual_tests).empty();
  }
  CHECK(alarms <= 5);  // 1 expected; more than 5 has a probability of 6e-4
}
