#include "fitting/uncertainty/synthetic_runs.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>

#include "fitting/predict/bands.h"
#include "fitting/uncertainty/identifiability.h"
#include "fitting/uncertainty/interval_coverage.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"
#include "tests/support/message_of.h"

using namespace bitlaw;

TEST_CASE("synthetic runs: each design decides its law's parameters") {
  for (const std::string_view name : synthetic_designs()) {
    CAPTURE(name);
    const SyntheticDesign design = synthetic_design(name);
    Observations observations = synthetic_losses(design, 1, 2);
    CHECK(design_warnings(*design.law, observations, std::vector<bool>(design.truth.size(), true)).empty());
    CHECK(design.runs.size() == design.inputs.size());
    CHECK(design.truth == design.law->published()[name == "chinchilla" ? 2 : 0].values);
  }
}

TEST_CASE("synthetic runs: the noise has the sizes that it was given, shared by the rows of a run") {
  SyntheticDesign design = synthetic_design("annealing");
  design.run_noise = 0.003;
  design.row_noise = 0.004;
  double sum = 0, products = 0, count = 0;
  for (std::uint32_t set = 0; set < 200; ++set) {
    const Observations losses = synthetic_losses(design, 5, set);
    std::vector<double> noise;
    for (std::size_t i = 0; i < losses.loss.size(); ++i) {
      noise.push_back(std::log(losses.loss[i] / design.law->predict(design.truth, losses.inputs[i])));
    }
    for (std::size_t i = 1; i < noise.size(); ++i) {
      if (design.runs[i] != design.runs[i - 1]) continue;
      sum += noise[i] * noise[i];
      products += noise[i] * noise[i - 1];
      ++count;
    }
  }
  // 4800 runs: a variance of what they share to 2 %.
  CHECK(sum / count == relative(0.003 * 0.003 + 0.004 * 0.004, 0.06));
  CHECK(products / count == relative(0.003 * 0.003, 0.12));
}

TEST_CASE("synthetic runs: a run's noise is drawn apart from its rows', even where each run has one row") {
  SyntheticDesign design = synthetic_design("chinchilla");
  design.run_noise = 0.003;
  design.row_noise = 0.004;
  double sum = 0, count = 0;
  for (std::uint32_t set = 0; set < 200; ++set) {
    const Observations losses = synthetic_losses(design, 5, set);
    for (std::size_t i = 0; i < losses.loss.size(); ++i, ++count) {
      sum += std::pow(std::log(losses.loss[i] / design.law->predict(design.truth, losses.inputs[i])), 2);
    }
  }
  // 7200 draws: a variance to 1.7 %. Drawn as one they would have 0.007^2, twice as much.
  CHECK(sum / count == relative(0.003 * 0.003 + 0.004 * 0.004, 0.07));
}

TEST_CASE(
    "synthetic runs: unequal noise is of half, once and twice the size, its weights say which, and runs keep one") {
  SyntheticDesign design = synthetic_design("annealing");
  design.run_noise = 0.003;
  design.row_noise = 0.004;
  design = with_unequal_noise(design);
  std::map<double, double> squares, counts;  // by weight
  for (std::uint32_t set = 0; set < 100; ++set) {
    const Observations losses = synthetic_losses(design, 5, set);
    REQUIRE(losses.weights.size() == losses.loss.size());
    for (std::size_t i = 0; i < losses.loss.size(); ++i) {
      squares[losses.weights[i]] +=
          std::pow(std::log(losses.loss[i] / design.law->predict(design.truth, losses.inputs[i])), 2);
      ++counts[losses.weights[i]];
      if (i > 0 && design.runs[i] == design.runs[i - 1]) CHECK(losses.weights[i] == losses.weights[i - 1]);
    }
  }
  REQUIRE(squares.size() == 3);
  for (const double weight : {4.0, 1.0, 0.25}) {  // of some 800 runs: a variance to 4 %
    CHECK(squares[weight] / counts[weight] == relative(0.005 * 0.005 / weight, 0.12));
  }
}

TEST_CASE("synthetic runs: fewer of them are the asked number, whole, and spread over sizes and token counts") {
  const SyntheticDesign few = with_runs(synthetic_design("chinchilla"), 12);
  std::set<double> sizes, tokens;
  for (const auto& row : few.inputs) {
    sizes.insert(row[0]);
    tokens.insert(row[1]);
  }
  CHECK(few.inputs.size() == 12);
  CHECK(run_count(few) == 12);
  CHECK(sizes.size() == 6);
  CHECK(tokens.size() == 6);
  CHECK(few.description == "12 of 36 runs: 6 sizes by 6 token counts");
  const SyntheticDesign curves = with_runs(synthetic_design("annealing"), 7);
  CHECK(run_count(curves) == 7);
  CHECK(curves.inputs.size() == 70);
  const SyntheticDesign all = synthetic_design("qat");
  CHECK(with_runs(all, 80).inputs == all.inputs);
  CHECK(with_runs(all, 80).description == all.description);
}

TEST_CASE("synthetic runs: a set is a function of seed and number, another number gives other noise") {
  const SyntheticDesign design = synthetic_design("qat");
  CHECK(synthetic_losses(design, 1, 7).loss == synthetic_losses(design, 1, 7).loss);
  CHECK(synthetic_losses(design, 1, 7).loss != synthetic_losses(design, 1, 8).loss);
  CHECK(synthetic_losses(design, 1, 7).loss != synthetic_losses(design, 2, 7).loss);
}

TEST_CASE("synthetic runs: another law is refused with those that there are") {
  CHECK(message_of([] {
          synthetic_design("qat_delta");
        }).starts_with("law 'qat_delta' has no synthetic runs, so there is nothing to measure; "));
}

TEST_CASE("interval coverage: the counts are those of the fits, one by one, on any number of threads") {
  const SyntheticDesign design = synthetic_design("chinchilla");
  FitOptions options{.bootstrap = 30, .level = 0.5, .threads = 1, .starts = 4};
  const auto measured = [&](int threads) {
    options.threads = threads;
    return measure_coverage(design, options, 6, [](int) { return true; });
  };
  const CoverageReport report = measured(2);
  options.profile = true;
  options.threads = 1;
  std::vector<double> held(5);
  for (std::uint32_t set = 0; set < 6; ++set) {
    options.seed = set;
    const FitRecord fit = fit_law(*design.law, synthetic_losses(design, 0, set), options, "set");
    for (std::size_t j = 0; j < 5; ++j) {
      const FittedParameter& p = fit.parameters[j];
      held[j] += p.profile_low <= design.truth[j] && design.truth[j] <= p.profile_high ? 1 : 0;
    }
  }
  CHECK(report.sets == 6);
  for (std::size_t j = 0; j < 5; ++j) {
    const IntervalScore& score = report.parameters[j].profile;
    CHECK(score.covered * 6 == relative(held[j], 1e-12));
    CHECK(score.covered + score.below + score.above == relative(1, 1e-12));
    options.seed = 0;
    CHECK(measured(1).parameters[j].bootstrap.covered == report.parameters[j].bootstrap.covered);
  }
}

TEST_CASE("interval coverage: of predictions the counts are those of their bands, one by one") {
  const SyntheticDesign design = synthetic_design("chinchilla");
  const std::vector<double> place{1.5e11, 3e12};
  FitOptions options{.bootstrap = 20, .level = 0.5, .threads = 2, .starts = 4};
  const CoverageReport report = measure_coverage(design, options, 6, [](int) { return true; }, {{1e9, 1e10}, place});
  REQUIRE(report.predictions.size() == 2);
  const double truth = design.law->predict(design.truth, place);
  double by_covariance = 0, by_bootstrap = 0;
  for (std::uint32_t set = 0; set < 6; ++set) {
    options.seed = set;
    const FitRecord fit = fit_law(*design.law, synthetic_losses(design, 0, set), options, "set");
    const Prediction p = predict_with_bands(*design.law, fit, place, Residual::Log, 0.5);
    by_covariance += p.confidence.low <= truth && truth <= p.confidence.high ? 1 : 0;
    by_bootstrap += p.confidence_draws.low <= truth && truth <= p.confidence_draws.high ? 1 : 0;
  }
  CHECK(report.predictions[1].inputs == place);
  CHECK(report.predictions[1].truth == truth);
  CHECK(report.predictions[1].covariance.covered * 6 == relative(by_covariance, 1e-12));
  CHECK(report.predictions[1].bootstrap.covered * 6 == relative(by_bootstrap, 1e-12));
}

TEST_CASE("interval coverage: told to stop it reports the sets that were done") {
  const CoverageReport report = measure_coverage(synthetic_design("chinchilla"), {.bootstrap = 0, .starts = 2}, 50,
                                                 [](int done) { return done < 3; });
  CHECK(report.sets == 3);
  CHECK(report.parameters.size() == 5);
}
