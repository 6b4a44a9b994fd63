// Published traps of noise, tuning and rounding (see traps_test.cpp): each reproduced, then shown not to catch our fit.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/record/fit_json.h"
#include "fitting/compare/compare.h"
#include "fitting/fit/fit.h"
#include "fitting/uncertainty/synthetic_runs.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {

/// To three significant digits, as papers print.
double printed(double value) { return std::stod(fmt::format("{:.3g}", value)); }

}  // namespace

TEST_CASE(
    "traps: coefficients rounded as papers print them predict other losses, those of the fit's file the same bits") {
  const Law& law = find_law("chinchilla");
  const FitRecord fit =
      fit_law(law, planted(law, kChinchillaTruth, chinchilla_design(), 0.005, 2), {.bootstrap = 0}, "file");
  const nlohmann::json file = nlohmann::json::parse(fit_to_json(fit));
  std::vector<double> read, rounded;
  for (const LawParameter& parameter : law.parameters()) {
    read.push_back(file["parameters"][std::string(parameter.name)]["estimate"]);
    rounded.push_back(parameter.name == "alpha" || parameter.name == "beta" ? std::round(read.back() * 100) / 100
                                                                            : printed(read.back()));
  }
  double worst = 0;
  const std::vector<std::vector<double>> design = chinchilla_design();
  for (std::size_t i = 0; i < design.size(); ++i) {
    CHECK(law.predict(read, design[i]) == fit.predicted[i]);
    worst = std::max(worst, std::abs(law.predict(rounded, design[i]) / fit.predicted[i] - 1));
  }
  CHECK(worst > 0.005);  // as large as the noise that was fitted
  REQUIRE(file["covariance"].size() == 5);
  for (std::size_t j = 0; j < 5; ++j) {
    for (std::size_t k = 0; k < 5; ++k) CHECK(file["covariance"][j][k] == fit.covariance[j * 5 + k]);
  }
}

TEST_CASE("traps: where N and D do not act independently another family wins out of sample") {
  const Law &independent = find_law("chinchilla"), &joint = find_law("kaplan_nd");
  const std::vector<double> truth{6.4e13, 0.076, 1.8e13, 0.103};  // Kaplan et al. 2020, Table 2
  const Observations data =
      planted(joint, truth, full_design({1e6, 1e7, 1e8, 1e9, 1e10}, {1e8, 1e9, 1e10, 1e11, 1e12}), 0.003, 4);
  CompareOptions options;
  options.fit.starts = 8;
  const std::vector<LawScore> scores = compare_laws({&independent, &joint}, {data, data}, options);
  CHECK(scores[1].rollout_error < scores[0].rollout_error);
  CHECK(scores[1].folds_error < scores[0].folds_error);
  CHECK(scores[1].stacking > 0.5);
}

TEST_CASE("traps: small runs tuned badly steepen the law; a penalty on predictions above the runs fits the frontier") {
  const Law& law = find_law("chinchilla");
  Observations data =
      planted(law, kChinchillaTruth,
              full_design({5e7, 1.5e8, 5e8, 1.5e9, 5e9, 1.5e10}, {3e8, 6e8, 1e9, 2e9, 4e9, 1.5e10, 6e10, 3e11}));
  for (std::size_t i = 0; i < data.loss.size(); ++i) {  // up to 6 % above for the two smallest sizes, most runs of them
    if (data.inputs[i][0] < 2e8) data.loss[i] *= 1 + 0.03 * static_cast<double>(i % 3);
  }
  const auto alpha = [&](double over_factor) {
    return fit_law(law, data, {.objective = {.over_factor = over_factor}, .bootstrap = 0}, "x").parameters[1].estimate;
  };
  CHECK(alpha(1) > 0.35 + 0.03);
  CHECK(std::abs(alpha(100) - 0.35) < 0.2 * (alpha(1) - 0.35));
  const FitRecord fit = fit_law(law, data, {.objective = {.over_factor = 100}, .bootstrap = 0}, "x");
  CHECK(fit.objective == "sum of Huber(delta = 0.001) on log loss, 100 times where predicted > observed");
}

TEST_CASE("traps: a bootstrap of points ignores what the rows of a run share; by run or with seed noise it does not") {
  // L = E from 20 runs of 10 rows that share their run's noise of 0.01: the standard error of log E is 0.01 / sqrt(20).
  Observations data;
  const Observations noise = planted(find_law("hestness"), std::vector<double>{1, 1, 1}, {20, {1e30}}, 0.01, 6);
  for (std::size_t run = 0; run < 20; ++run) {
    for (int row = 0; row < 10; ++row) {
      data.inputs.push_back({1e8, 1e10});
      data.loss.push_back(noise.loss[run]);
      data.ids.push_back(fmt::format("row{}", data.ids.size()));
      data.cluster.push_back(noise.ids[run]);
    }
  }
  const auto width = [&](Observations observations, Resampling resampling, bool by_row) {
    if (by_row) observations.cluster = observations.ids;
    const FitRecord fit = fit_law(find_law("chinchilla"), observations,
                                  {.objective = {.loss = Loss::LeastSquares},
                                   .bootstrap = 1000,
                                   .resampling = resampling,
                                   .seed_noise = resampling == Resampling::Parametric ? 0.01 : 0,
                                   .fixed = {{"A", 1e-6}, {"alpha", 5}, {"B", 1e-6}, {"beta", 5}}},
                                  "x");
    return std::log(fit.parameters[4].boot_high / fit.parameters[4].boot_low);
  };
  double squares = 0, mean = 0;
  for (const double loss : noise.loss) mean += std::log(loss) / 20;
  for (const double loss : noise.loss) squares += std::pow(std::log(loss) - mean, 2) / 20;
  const double deviation = std::sqrt(squares);
  // Ends of 1000 draws are known to about 4 %; by run the interval is widened for 20 runs: 2.15 deviations, not 1.96.
  CHECK(width(data, Resampling::Runs, true) == relative(2 * 1.96 * deviation / std::sqrt(200), 0.12));
  CHECK(width(data, Resampling::Runs, false) == relative(2 * 2.15 * deviation / std::sqrt(20), 0.12));
  CHECK(width(data, Resampling::Parametric, false) == relative(2 * 1.96 * 0.01 / std::sqrt(20), 0.12));
}
