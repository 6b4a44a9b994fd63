#include "fitting/uncertainty/synthetic_runs.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

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

TEST_CASE("interval coverage: told to stop it reports the sets that were done") {
  const CoverageReport report = measure_coverage(synthetic_design("chinchilla"), {.bootstrap = 0, .starts = 2}, 50,
                                                 [](int done) { return done < 3; });
  CHECK(report.sets == 3);
  CHECK(report.parameters.size() == 5);
}
