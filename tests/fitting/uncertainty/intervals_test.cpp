// Profile, jackknife, resampling and derived quantities: numbers from closed forms and from a published refit.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/distributions.h"
#include "fitting/fit/fit.h"
#include "fitting/laws/text_law.h"
#include "fitting/uncertainty/derived.h"
#include "fitting/uncertainty/diagnosis.h"
#include "fitting/uncertainty/profile.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {

/// L = E alone, log losses 0.1, 0.2, ... : the least-squares fit is their mean.
Observations ladder(int count) {
  Observations observations;
  for (int i = 1; i <= count; ++i) {
    observations.inputs.push_back({1e9, 1e9});
    observations.loss.push_back(std::exp(0.1 * i));
    observations.ids.push_back(std::to_string(i));
  }
  observations.cluster = observations.ids;
  return observations;
}

constexpr ObjectiveSpec kSquares{.loss = Loss::LeastSquares};

/// Of log losses 0.1 .. 0.1 n: sum of squares n (n^2 - 1) / 12 / 100 over n - 1.
double standard_error_of_mean(int n) { return std::sqrt(n * (n * n - 1) / 1200.0 / (n - 1) / n); }

}  // namespace

TEST_CASE("profile: of a mean by least squares it is Student's interval") {
  const Objective objective(find_law("chinchilla"), ladder(10), kSquares);
  std::vector<double> optimum = kNoTerms;
  optimum[4] = 0.55;
  std::vector<bool> free = kOnlyE;
  free.flip();
  const Covariance covariance = robust_covariance(objective, optimum, free, ladder(10).cluster);
  const ProfileInterval ends = profile_interval(objective, optimum, kOnlyE, covariance, 4, 2.262);
  CHECK(ends.low == relative(0.55 - 2.262 * standard_error_of_mean(10), 1e-3));
  CHECK(ends.high == relative(0.55 + 2.262 * standard_error_of_mean(10), 1e-3));
}

TEST_CASE("profile: ends are where the refitted objective has risen as said, and lopsided where it is") {
  const Law& law = find_law("chinchilla");
  const Observations observations = planted(law, kChinchillaTruth, chinchilla_design(), 0.02, 5);
  const Objective objective(law, observations, kSquares);
  const Minimum optimum = minimize(objective, law.to_fitted(kChinchillaTruth), std::vector<bool>(5));
  const Covariance covariance =
      robust_covariance(objective, optimum.fitted, std::vector<bool>(5, true), observations.cluster);
  const double t = 2;
  const std::size_t beta = 3;
  const ProfileInterval ends = profile_interval(objective, optimum.fitted, std::vector<bool>(5), covariance, beta, t);
  const double rise = t * t * covariance.matrix[beta * 6] / (2 * covariance.inverse_curvature[beta * 6]);
  for (const double end : {ends.low, ends.high}) {
    std::vector<double> held = optimum.fitted;
    held[beta] = end;
    std::vector<bool> fixed(5);
    fixed[beta] = true;
    CHECK(minimize(objective, held, fixed).cost - optimum.cost == relative(rise, 1e-2));  // ends to 1e-3
  }
  CHECK(ends.low < optimum.fitted[beta]);
  CHECK(optimum.fitted[beta] < ends.high);
}

TEST_CASE("profile: of a coefficient on its bound it ends where the objective has risen, however far that is") {
  // L = E + C x with E held at the losses' mean, least squares: the sum rises by C^2 sum x^2 / 2, so from the bound
  // C = 1e-12 the profile ends at C = sqrt(2 rise / sum x^2), 27 logarithms above it, and downwards it is open.
  const auto law = text_law({.formula = "E + C*x", .inputs = {"x"}});
  Observations observations;
  const std::vector<double> x{-2, -1, 0, 1, 2}, noise{0.2, -0.1, -0.2, -0.1, 0.2};  // sum of x noise: 0
  for (std::size_t i = 0; i < x.size(); ++i) {
    observations.inputs.push_back({x[i]});
    observations.loss.push_back(3 + noise[i]);
    observations.ids.push_back(std::to_string(i));
  }
  observations.cluster = observations.ids;
  const Objective objective(*law, observations, {.loss = Loss::LeastSquares, .residual = Residual::Plain});
  const std::vector<double> optimum{std::log(3.0), std::log(1e-12)};
  Covariance covariance;
  covariance.matrix = {0.01, 0, 0, std::nan("")};
  covariance.inverse_curvature = {0.5, 0, 0, std::nan("")};
  const double rise = 2 * 2 * 0.01 / (2 * 0.5);
  for (const bool held : {true, false}) {  // at the ends E stays 3: x and the noise are centred
    const ProfileInterval ends = profile_interval(objective, optimum, {held, false}, covariance, 1, 2);
    CHECK(ends.low == -std::numeric_limits<double>::infinity());
    CHECK(ends.high == relative(std::log(std::sqrt(2 * rise / 10)), 0.05));  // 1e-3 of 27
  }
}

TEST_CASE("profile: it ends where the law ceases to have a value") {
  // log(a - x), x up to 4, needs a > 4: the objective is infinite below.
  const auto law = text_law(
      {.formula = "a - x", .inputs = {"x"}, .parameters = {{"a", {.lower = -100, .upper = 100, .starts = {4.1}}}}});
  Observations observations;
  for (const double x : {0.0, 1.0, 2.0, 3.0, 4.0}) {
    observations.inputs.push_back({x});
    observations.loss.push_back(4.1 - x);
    observations.ids.push_back(std::to_string(x));
  }
  observations.cluster = observations.ids;
  const Objective objective(*law, observations, kSquares);
  Covariance covariance;
  covariance.matrix = {1};
  covariance.inverse_curvature = {1};
  const ProfileInterval ends = profile_interval(objective, {4.1}, {false}, covariance, 0, 40);
  CHECK(ends.low == relative(4, 1e-3));
  CHECK(ends.high > 4.1);
}

TEST_CASE("profile: on one ray D = 20 N the intervals of coefficients are open, and the record says so") {
  std::vector<std::vector<double>> ray;
  for (double n = 1e7; n < 2e10; n *= 2) ray.push_back({n, 20 * n});
  const FitRecord fit =
      fit_law(find_law("chinchilla"), planted(find_law("chinchilla"), kChinchillaTruth, ray, 0.005, 1),
              {.bootstrap = 0, .profile = true}, "ray");
  int open = 0, said = 0;
  for (const FittedParameter& parameter : fit.parameters) {
    open += std::isinf(parameter.profile_low) || std::isinf(parameter.profile_high);
  }
  for (const std::string& warning : fit.warnings) said += warning.find("is open") != std::string::npos;
  CHECK(open >= 2);
  CHECK(said == open);
}

TEST_CASE("jackknife: of a mean it is the textbook's standard error") {
  const int n = 12;
  std::vector<double> means;  // leaving out 0.1 i of 0.1 .. 0.1 n
  const double sum = 0.1 * n * (n + 1) / 2;
  for (int i = 1; i <= n; ++i) means.push_back((sum - 0.1 * i) / (n - 1));
  CHECK(jackknife_errors(means, 1)[0] == relative(standard_error_of_mean(n), 1e-12));
  const Objective objective(find_law("chinchilla"), ladder(n), kSquares);
  std::vector<double> optimum = kNoTerms;
  optimum[4] = sum / n;
  const std::vector<double> estimates = leave_one_out(objective, optimum, kOnlyE, ladder(n).cluster, 1);
  REQUIRE(estimates.size() == 12 * 5);
  for (std::size_t i = 0; i < means.size(); ++i) CHECK(estimates[i * 5 + 4] == relative(means[i], 1e-7));
}

TEST_CASE("bootstrap: residuals and normal noise spread a mean as its standard error says") {
  const int n = 30;
  const Objective objective(find_law("chinchilla"), ladder(n), kSquares);
  std::vector<double> optimum = kNoTerms;
  optimum[4] = 0.1 * (n + 1) / 2.0;
  const auto spread = [&](const BootstrapOptions& options) {
    const std::vector<double> draws = bootstrap(objective, optimum, kOnlyE, ladder(n).cluster, options);
    double sum = 0, squares = 0;
    for (std::size_t at = 4; at < draws.size(); at += 5) {
      sum += std::log(draws[at]);
      squares += std::pow(std::log(draws[at]), 2);
    }
    return std::sqrt(squares / options.count - std::pow(sum / options.count, 2));
  };
  const double expected = standard_error_of_mean(n);
  // 400 draws give a standard deviation to 1 / sqrt(800) = 3.5 %; four of those.
  CHECK(spread({.resampling = Resampling::Residuals, .count = 400}) == relative(expected, 0.15));
  CHECK(spread({.resampling = Resampling::Parametric, .count = 400, .noise = 0.5}) ==
        relative(0.5 / std::sqrt(n), 0.15));
  // A run drawn w times has its added noise w times: mean of w^2 is 2 - 1/n.
  CHECK(spread({.resampling = Resampling::Runs, .count = 400, .noise = 2}) ==
        relative(std::sqrt(expected * expected + 4.0 * (2.0 * n - 1) / (n * n)), 0.15));
}

TEST_CASE("bootstrap: a row's residuals drawn anew are as large as its weight says") {
  // A mean of 30 rows of weight 4 and 30 of weight 1/4, noise sigma / sqrt(w): its standard error is sigma / sqrt(sum
  // w), 0.1 / sqrt(127.5). Were the residuals of all rows alike, the draws would spread three times as much.
  const double sigma = 0.1;
  Observations rows;
  double mean = 0, sum = 0;
  for (int i = 0; i < 60; ++i) {
    const double weight = i % 2 == 0 ? 4 : 0.25;
    const double normal = normal_quantile((i / 2 + 0.5) / 30);  // both kinds at the quantiles of a normal sample
    rows.inputs.push_back({1e9, 1e9});
    rows.loss.push_back(std::exp(sigma / std::sqrt(weight) * normal));
    rows.weights.push_back(weight);
    rows.cluster.push_back(std::to_string(i));
    rows.ids.push_back(std::to_string(i));
    mean += weight * std::log(rows.loss.back());
    sum += weight;
  }
  const Objective objective(find_law("chinchilla"), rows, kSquares);
  std::vector<double> optimum = kNoTerms;
  optimum[4] = mean / sum;
  for (const Resampling resampling : {Resampling::Residuals, Resampling::Parametric}) {
    const std::vector<double> draws =
        bootstrap(objective, optimum, kOnlyE, rows.cluster, {.resampling = resampling, .count = 400, .seed = 1});
    double squares = 0;
    for (std::size_t at = 4; at < draws.size(); at += 5) squares += std::pow(std::log(draws[at]) - optimum[4], 2);
    CHECK(std::sqrt(squares / 400) == relative(sigma / std::sqrt(sum), 0.15));  // known to 3.5 %
  }
}

TEST_CASE("derived: the published Chinchilla fits give their own optima at 5.76e23 FLOP") {
  const Law& law = find_law("chinchilla");
  const std::vector<Derived> quantities = derived_quantities(law, 5.76e23);
  REQUIRE(quantities.size() == 5);
  const double expected[][3]{{3.219e10, 2.982e12, 92.6}, {4.036e10, 2.379e12, 58.9}, {7.235e10, 1.327e12, 18.3}};
  for (std::size_t fit = 0; fit < 3; ++fit) {
    const std::vector<double>& values = law.published()[fit].values;
    for (std::size_t k = 0; k < 3; ++k) CHECK(quantities[2 + k].value(values) == relative(expected[fit][k], 3e-3));
  }
  CHECK(std::abs(quantities[0].value(law.published()[2].values) - 0.513) < 0.0005);  // Besiroglu et al. 2024
}

TEST_CASE("derived: the published format law gives its best widths and critical data sizes at B = 128") {
  const Law& law = find_law("fp_quantization");
  const std::vector<double>& values = law.published()[0].values;
  const auto value = [&](double compute, std::string_view name) {
    for (const Derived& quantity : derived_quantities(law, compute)) {
      if (quantity.name.starts_with(name)) return quantity.value(values);
    }
    return std::nan("");
  };
  CHECK(value(0, "D_crit(1e+09 parameters, E4M3") == relative(27.3e12, 2e-3));
  CHECK(value(0, "D_crit(1e+09 parameters, E2M1") == relative(0.393e12, 2e-3));
  const double widths[][2]{{1e21, 4.19}, {1e23, 4.72}, {1e25, 5.31}, {1e27, 5.98}, {1e29, 6.73}, {1e31, 7.58}};
  for (const auto& [compute, bits] : widths) CHECK(std::abs(value(compute, "P_opt") - bits) < 0.0051);  // two decimals
}

TEST_CASE("derived: the delta method is exact for a parameter itself and for a linear combination") {
  const Law& law = find_law("chinchilla");
  const std::vector<double> fitted = law.to_fitted(kChinchillaTruth);
  std::vector<double> covariance(25);
  covariance[1 * 5 + 1] = 4e-4;
  covariance[3 * 5 + 3] = 9e-4;
  covariance[1 * 5 + 3] = covariance[3 * 5 + 1] = 1e-4;
  covariance[0] = 0.01;
  const auto error = [&](auto value) { return delta_method_error(law, {"", "", value}, fitted, covariance); };
  CHECK(error([](auto p) { return p[1]; }) == relative(0.02, 1e-8));
  CHECK(error([](auto p) { return p[1] - 2 * p[3]; }) == relative(std::sqrt(4e-4 + 36e-4 - 4e-4), 1e-8));
  CHECK(error([](auto p) { return p[0]; }) == relative(0.1 * 482, 1e-8));  // d A = A d ln A
}

TEST_CASE("diagnosis: a law without its data term leaves residuals that show it, the true law does not") {
  const Law& truth = find_law("chinchilla");
  const Observations observations = planted(truth, kChinchillaTruth, chinchilla_design(), 0.005, 2);
  const FitRecord right = fit_law(truth, observations, {.bootstrap = 0}, "right");
  CHECK(right.warnings.empty());
  std::vector<double> residuals;
  for (std::size_t i = 0; i < observations.loss.size(); ++i) {
    residuals.push_back(std::log(observations.loss[i] / (1.8 + 482 * std::pow(observations.inputs[i][0], -0.35))));
  }
  const auto warnings = residual_warnings(residual_tests(truth, observations, residuals));
  REQUIRE(warnings.size() >= 1);
  bool names_data = false;
  for (const std::string& warning : warnings) names_data |= warning.starts_with("residuals fall with D");
  CHECK(names_data);
}

TEST_CASE("diagnosis: residual tests give few false alarms") {
  const Law& law = find_law("chinchilla");
  int alarms = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Observations noise = planted(law, kChinchillaTruth, chinchilla_design(), 0.01, seed);
    std::vector<double> residuals;
    for (std::size_t i = 0; i < noise.loss.size(); ++i) {
      residuals.push_back(std::log(noise.loss[i] / law.predict(kChinchillaTruth, noise.inputs[i])));
    }
    alarms += !residual_warnings(residual_tests(law, noise, residuals)).empty();
  }
  CHECK(alarms <= 8);  // 2 expected; more than 8 has a probability of 2e-4
}

TEST_CASE("diagnosis: one run far off is named as the one that the fit rests on") {
  const Law& law = find_law("chinchilla");
  Observations observations = planted(law, kChinchillaTruth, chinchilla_design(), 0.003, 4);
  observations.loss[35] *= 1.2;  // the largest model on the most tokens
  const FitRecord fit = fit_law(
      law, observations, {.objective = {.loss = Loss::LeastSquares}, .bootstrap = 0, .jackknife = true}, "influence");
  bool named = false;
  for (const std::string& warning : fit.warnings) named |= warning.starts_with("without run run35 ");
  CHECK(named);
  for (const FittedParameter& parameter : fit.parameters) CHECK(parameter.jackknife_error > 0);
}
