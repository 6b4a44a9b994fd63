#include "fitting/fit/fit.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "fitting/laws/text_law.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"
#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {

const FittedParameter& parameter(const FitRecord& fit, std::string_view name) {
  return *std::find_if(fit.parameters.begin(), fit.parameters.end(), [&](const auto& p) { return p.name == name; });
}

bool warns(const FitRecord& fit, std::string_view start) {
  return std::any_of(fit.warnings.begin(), fit.warnings.end(), [&](const auto& w) { return w.starts_with(start); });
}

std::string message(const Observations& observations, const FitOptions& options) {
  return message_of([&] { fit_law(find_law("chinchilla"), observations, options, "x"); });
}

/// Quantized and unquantized runs of four sizes and four token counts.
std::vector<std::vector<double>> qat_design(const std::vector<double>& groups) {
  std::vector<std::vector<double>> rows;
  for (const auto& point : full_design({7.4e7, 1.45e8, 2.97e8, 5.95e8}, {1e10, 2e10, 5e10, 1e11})) {
    rows.push_back({point[0], point[1], 1});
    for (const double group : groups) rows.push_back({point[0], point[1], group});
  }
  return rows;
}

/// The runs of Sun et al. 2025, Table 3: formats at one scale per channel, block sizes at E1M1, and unquantized ones.
std::vector<std::vector<double>> fp_design() {
  std::vector<std::vector<double>> rows;
  for (const auto& point : full_design({4.09e7, 8.49e7, 1.54e8, 6.79e8}, {1.05e10, 2.1e10, 5.24e10, 1.05e11})) {
    const double n = point[0], d = point[1];
    rows.push_back({n, d, 8, 7, 1});
    for (const auto& [e, m] : {std::pair{1, 1}, {1, 3}, {1, 6}, {2, 1}, {2, 3}, {3, 2}, {4, 3}, {6, 1}}) {
      rows.push_back({n, d, static_cast<double>(e), static_cast<double>(m), std::exp2(13.1567)});
    }
    for (const double block : {32, 64, 128, 256}) rows.push_back({n, d, 1, 1, block});
  }
  return rows;
}

}  // namespace

TEST_CASE("fit: every law recovers the published coefficients that made exact losses") {
  struct Case {
    std::string_view law;
    std::size_t published;
    std::vector<std::vector<double>> design;
  };
  const std::vector<Case> cases{{"chinchilla", 2, chinchilla_design()},
                                {"qat", 0, qat_design({32, 64, 128, 256})},
                                {"fp_quantization", 0, fp_design()}};
  for (const Case& example : cases) {
    const Law& law = find_law(example.law);
    const std::vector<double>& truth = law.published()[example.published].values;
    const FitRecord fit = fit_law(law, planted(law, truth, example.design), {.bootstrap = 0}, "exact");
    CAPTURE(example.law);
    CHECK(fit.converged);
    for (std::size_t j = 0; j < truth.size(); ++j) {
      CAPTURE(fit.parameters[j].name);
      CHECK(fit.parameters[j].estimate == relative(truth[j], 1e-3));
    }
    for (std::size_t i = 0; i < fit.observed.size(); ++i) {
      CHECK(fit.predicted[i] == relative(fit.observed[i], 1e-7));
    }
  }
}

TEST_CASE("fit: a constant model has the textbook mean, standard error and t interval") {
  const Law& law = find_law("chinchilla");
  Observations observations{.ids = {"a", "b", "c", "d", "e", "f"},
                            .inputs = {6, {1e8, 1e10}},
                            .loss = {2.0, 2.5, 3.5, 2.25, 5.0, 3.0},
                            .cluster = {"a", "b", "c", "d", "e", "f"}};
  const FitOptions options{
      .objective = {.delta = 10}, .bootstrap = 0, .fixed = {{"A", 1e-6}, {"alpha", 5}, {"B", 1e-6}, {"beta", 5}}};
  const FitRecord fit = fit_law(law, observations, options, "mean");
  double mean = 0, squares = 0;
  for (const double loss : observations.loss) mean += std::log(loss) / 6;
  for (const double loss : observations.loss) squares += std::pow(std::log(loss) - mean, 2);
  const double error = std::sqrt(squares / 5 / 6);  // s / sqrt(n), of log E
  const double t = quantile(boost::math::students_t(5), 0.975);
  const FittedParameter& e = parameter(fit, "E");
  CHECK(e.estimate == relative(std::exp(mean), 1e-8));
  CHECK(e.standard_error == relative(std::exp(mean) * error, 1e-7));
  CHECK(e.ci_low == relative(std::exp(mean - t * error), 1e-7));
  CHECK(e.ci_high == relative(std::exp(mean + t * error), 1e-7));
  CHECK(fit.covariance[4 * 5 + 4] == relative(std::pow(std::exp(mean) * error, 2), 1e-7));
  CHECK(fit.condition_number == relative(1, 1e-7));
  CHECK(parameter(fit, "alpha").fixed);
  CHECK(parameter(fit, "alpha").estimate == 5);
}

TEST_CASE("fit: the same seed gives the same bits on one thread and on two, another seed other draws") {
  const Law& law = find_law("chinchilla");
  const Observations observations = planted(law, kChinchillaTruth, chinchilla_design(), 0.01, 1);
  const auto fit = [&](std::uint64_t seed, int threads) {
    return fit_law(law, observations, {.bootstrap = 40, .seed = seed, .threads = threads}, "x");
  };
  const FitRecord one = fit(3, 1), two = fit(3, 2), other = fit(4, 2);
  CHECK(one.draws.size() == 40 * 5);
  CHECK(one.draws == two.draws);
  CHECK(one.cost == two.cost);
  for (std::size_t j = 0; j < 5; ++j) CHECK(one.parameters[j].estimate == two.parameters[j].estimate);
  CHECK(one.draws != other.draws);
}

TEST_CASE("fit: fewer runs than parameters are refused with a record that says so") {
  const Law& law = find_law("chinchilla");
  const FitRecord fit = fit_law(law, planted(law, kChinchillaTruth, {{1e8, 1e10}, {1e9, 1e9}, {1e9, 1e11}}), {}, "few");
  CHECK_FALSE(fit.converged);
  CHECK(fit.status == "refused: fewer runs than free parameters");
  CHECK(warns(fit, "3 runs with 3 losses cannot decide 5 free parameters, so nothing was fitted; add runs or fix"));
  CHECK(fit.parameters.size() == 5);
  CHECK(std::isnan(fit.parameters[0].estimate));
  CHECK(fit_law(law, {}, {}, "none").status == fit.status);
}

TEST_CASE("fit: a law that is negative at every start is refused with a record that says so, not by an exception") {
  // a - N with starts 0.1, 0.3 and 1 of a, and N from 5: no logarithm anywhere.
  const auto law = text_law({.formula = "a - N", .inputs = {"N"}});
  Observations observations{.ids = {"r1", "r2", "r3"}, .inputs = {{5}, {6}, {7}}, .loss = {3, 2, 1}};
  observations.cluster = observations.ids;
  for (const Loss loss : {Loss::Huber, Loss::StudentT}) {
    const FitRecord fit = fit_law(*law, observations, {.objective = {.loss = loss}, .profile = true}, "negative");
    CHECK_FALSE(fit.converged);
    CHECK(fit.status == "refused: no starting point gives every observation a prediction");
    CHECK(std::isnan(fit.parameters[0].estimate));
    CHECK(std::isnan(fit.cost));
    CHECK(warns(fit,
                "at none of 3 starting points are all predictions positive numbers (at a = 0.1 the law gives -4.9 for "
                "observation r1, N = 5), so nothing was fitted; leave such rows out, hold parameters where the law has "
                "a value, or say of a formula's parameters where they start"));
  }
  // Plain residuals need no logarithm: a = loss + N = 8 exactly.
  const FitRecord plain =
      fit_law(*law, observations, {.objective = {.loss = Loss::LeastSquares, .residual = Residual::Plain}}, "plain");
  CHECK(plain.parameters[0].estimate == relative(8, 1e-9));
}

TEST_CASE("fit: an input of zero whose logarithm a law takes is refused by the name of its row") {
  struct Case {
    std::string_view law;
    std::vector<double> good, bad;
    std::string_view text;
  };
  for (const Case& example : {Case{"kaplan_c", {1e19}, {0}, "C = 0"},
                              {"kaplan_ns", {1e8, 1e4}, {1e8, 0}, "N = 100000000, S = 0"},
                              {"critical_batch", {2}, {0}, "L = 0"},
                              {"epsilon_2", {10}, {0}, "x = 0"},
                              {"annealing", {1, 0}, {0, 0}, "S1 = 0, S2 = 0"}}) {
    CAPTURE(example.law);
    Observations observations;
    for (int i = 0; i < 12; ++i) {
      observations.inputs.push_back(example.good);
      observations.inputs.back()[0] *= i + 1;
      observations.ids.push_back(fmt::format("run{}", i));
      observations.loss.push_back(3 - 0.01 * i);
    }
    observations.cluster = observations.ids;
    observations.inputs[2] = example.bad;
    CHECK(message_of([&] { fit_law(find_law(example.law), observations, {}, "zero"); }) ==
          fmt::format("observation run2: law '{}' takes the logarithm of an input and there is none at {}, so the law "
                      "has no value; leave the row out",
                      example.law, example.text));
  }
}

TEST_CASE("fit: one block size leaves k and gamma_G without error bars and the other parameters with them") {
  const Law& law = find_law("qat");
  const Observations observations = planted(law, law.published()[0].values, qat_design({32}), 0.001, 5);
  const FitRecord fit = fit_law(law, observations, {.bootstrap = 0}, "one block size");
  CHECK(warns(fit, "G takes only 1 value in the quantized runs (32), and k, gamma_G need 2"));
  CHECK(std::isnan(parameter(fit, "k").standard_error));
  CHECK(std::isnan(parameter(fit, "gamma_G").standard_error));
  CHECK(std::isfinite(parameter(fit, "gamma_N").standard_error));
  CHECK(std::isfinite(parameter(fit, "alpha").standard_error));
}

TEST_CASE("fit: with gamma_G held, one block size decides the rest and nothing is warned about it") {
  const Law& law = find_law("qat");
  const Observations observations = planted(law, law.published()[0].values, qat_design({32}), 0.001, 5);
  const FitRecord fit = fit_law(law, observations, {.bootstrap = 0, .fixed = {{"gamma_G", 0.7779}}}, "held");
  CHECK_FALSE(warns(fit, "G takes only"));
  CHECK(std::isfinite(parameter(fit, "k").standard_error));
  CHECK(std::isfinite(parameter(fit, "gamma_N").standard_error));
}

TEST_CASE("fit: two formats that differ in both widths leave gamma, delta and nu undecided by name") {
  const Law& law = find_law("fp_quantization");
  std::vector<std::vector<double>> design;
  for (const auto& point : full_design({4e7, 8e7, 1.5e8, 6.8e8}, {1e10, 2e10, 5e10, 1e11})) {
    design.push_back({point[0], point[1], 8, 23, 1});
    design.push_back({point[0], point[1], 1, 2, 32});
    design.push_back({point[0], point[1], 2, 1, 32});
  }
  const FitRecord fit =
      fit_law(law, planted(law, law.published()[0].values, design, 0.001, 6), {.bootstrap = 0}, "two formats");
  CHECK(warns(fit, "the data hardly decide a combination of gamma, delta, nu"));
  CHECK(fit.condition_number > 1e10);
  CHECK(std::isnan(parameter(fit, "nu").standard_error));
  CHECK(std::isfinite(parameter(fit, "alpha").standard_error));
}

TEST_CASE("fit: a term that the data do not show ends at its bound and is flagged") {
  const Law& law = find_law("chinchilla");
  const std::vector<double> truth{3000, 1.0, 1e6, 1.1, 1e-9};  // losses fall to 1e-5, far below the bound of E
  const Observations observations =
      planted(law, truth, full_design({1e6, 1e7, 1e8, 3e8}, {1e9, 1e10, 1e11, 1e12}), 0.01, 7);
  const FitRecord fit = fit_law(law, observations, {.bootstrap = 0}, "no floor");
  CHECK(parameter(fit, "E").at_bound);
  CHECK(warns(fit, "E ended at its bound 0.001: the data do not show its term"));
  CHECK(std::isnan(parameter(fit, "E").standard_error));
}

TEST_CASE(
    "fit: rows of no more runs than parameters give estimates but no error of any kind, since runs are not known to "
    "differ") {
  const Law& law = find_law("chinchilla");
  Observations rows = planted(law, kChinchillaTruth, chinchilla_design(), 0.005, 1);
  for (std::size_t i = 0; i < rows.cluster.size(); ++i) rows.cluster[i] = std::to_string(i % 5);
  const FitRecord fit =
      fit_law(law, rows, {.bootstrap = 50, .profile = true, .jackknife = true, .compute = 1e21}, "five");
  REQUIRE(fit.converged);
  CHECK(fit.degrees_of_freedom == 0);
  CHECK(fit.draws.empty());
  for (const FittedParameter& p : fit.parameters) {
    CAPTURE(p.name);
    CHECK(std::isfinite(p.estimate));
    for (const double none : {p.standard_error, p.ci_low, p.ci_high, p.boot_low, p.boot_high, p.profile_low,
                              p.profile_high, p.jackknife_error}) {
      CHECK(std::isnan(none));
    }
  }
  for (const double entry : fit.covariance) CHECK(std::isnan(entry));
  REQUIRE(fit.derived.size() > 2);
  for (const DerivedQuantity& quantity : fit.derived) {
    CHECK(std::isfinite(quantity.estimate));
    CHECK(std::isnan(quantity.standard_error));
    CHECK(std::isnan(quantity.boot_low));
  }
}

TEST_CASE("fit: a penalty far below the noise leaves the other parameters and the intervals finite") {
  const Law& law = find_law("fp_quantization");
  std::vector<std::vector<double>> design;
  for (const auto& point : full_design({1e4, 3e4, 1e5, 3e5}, {1e6, 3e6, 1e7})) {
    design.push_back({point[0], point[1], 8, 23, 1});
    design.push_back({point[0], point[1], 4, 3, 32});
    design.push_back({point[0], point[1], 2, 1, 16});
  }
  const std::vector<double> truth{40, 0.35, 400, 0.4, 1.1, 1e9, 3, 3};
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const FitRecord fit = fit_law(law, planted(law, truth, design, 0.002, seed), {.bootstrap = 20, .threads = 2}, "x");
    CHECK(fit.converged);
    for (const FittedParameter& p : fit.parameters) {
      CAPTURE(p.name);
      CHECK(std::isfinite(p.estimate));
      CHECK(std::isfinite(p.boot_high));
    }
    CHECK(parameter(fit, "alpha").estimate == relative(0.35, 0.15));
    CHECK_FALSE(fit.warnings.empty());
  }
}

TEST_CASE("fit: intervals that disagree by more than a factor of two are flagged") {
  // Two of 30 runs hold all the evidence on A and alpha: resampling loses them, which the covariance cannot see.
  const Law& law = find_law("chinchilla");
  std::vector<std::vector<double>> design =
      full_design({1e9, 1.02e9, 1.05e9}, {3e8, 6e8, 1e9, 2e9, 4e9, 1e10, 4e10, 3e11});
  design.push_back({5e7, 1e10});
  design.push_back({1e10, 1e10});
  const FitRecord fit =
      fit_law(law, planted(law, kChinchillaTruth, design, 0.005, 8), {.bootstrap = 100}, "two runs decide");
  CHECK(std::any_of(fit.warnings.begin(), fit.warnings.end(), [](const std::string& warning) {
    return warning.starts_with("the 95 % intervals of ") && warning.find("disagree") != std::string::npos;
  }));
}

TEST_CASE("fit: notes on the observations are handed on") {
  Observations observations = planted(find_law("chinchilla"), kChinchillaTruth, chinchilla_design());
  observations.notes = {"2 of 38 runs diverged"};
  const FitRecord fit = fit_law(find_law("chinchilla"), observations, {.bootstrap = 0}, "x");
  REQUIRE_FALSE(fit.warnings.empty());
  CHECK(fit.warnings[0] == "2 of 38 runs diverged");
}

TEST_CASE("fit: intervals disagree where their widths in the fitted coordinate do, and the record says so once") {
  const Law& law = find_law("chinchilla");
  int disagreeing = 0;
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    const auto design = full_design({1e7, 1e8, 1e9}, {1e9, 1e10, 1e11});
    const FitRecord fit = fit_law(law, planted(law, kChinchillaTruth, design, 0.01, seed), {.bootstrap = 60}, "few");
    for (std::size_t j = 0; j < fit.parameters.size(); ++j) {
      const FittedParameter& p = fit.parameters[j];
      const auto width = [&](double low, double high) {
        return law.parameters()[j].transform == Transform::Log ? std::log(high / low) : high - low;
      };
      const double ratio = width(p.boot_low, p.boot_high) / width(p.ci_low, p.ci_high);
      CAPTURE(p.name);
      const double most = 2 * (1 + 2 / std::sqrt(9 - 5));
      CHECK(p.intervals_disagree == (ratio > most || ratio < 1 / most));
      CHECK(p.intervals_disagree == warns(fit, "the 95 % intervals of " + p.name + " disagree"));
      disagreeing += p.intervals_disagree ? 1 : 0;
    }
  }
  CHECK(disagreeing > 0);
  CHECK(disagreeing < 20);
}

TEST_CASE("fit: what a user got wrong is refused with place, reason and remedy") {
  Observations good = planted(find_law("chinchilla"), kChinchillaTruth, chinchilla_design());
  CHECK(message(good, {.fixed = {{"alpa", 0.3}}}) ==
        "fixed: law 'chinchilla' has no parameter 'alpa', so it cannot be held; did you mean 'alpha'?");
  CHECK(message(good, {.fixed = {{"E", -1}}}) ==
        "fixed: E = -1 is outside [0.001, 1000], where law 'chinchilla' has no meaning; choose a value inside");
  CHECK(message(good, {.objective = {.delta = 0}}) ==
        "huber_delta: 0 is not positive, so the objective is empty; the usual value is 0.001");
  CHECK(message(good, {.threads = 0}) ==
        "bootstrap 400, starts 0, threads 0: each counts something, so threads must be at least 1 and the others at "
        "least "
        "0; correct the one that is not");
  Observations bad = good;
  bad.loss[3] = -1;
  CHECK(message(bad, {}) ==
        "observation run3: loss -1 is not a positive number, so it has no logarithm; leave the row out");
  bad = good;
  bad.inputs[2][1] = 0;
  CHECK(message(bad, {}) == "observation run2: D = 0 is below 1, so law 'chinchilla' has no value; correct the row");
}
