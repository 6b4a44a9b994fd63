#include "fitting/fit/minimize.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "fitting/fit/multi_start.h"
#include "fitting/fit/projection.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {

Observations constant_model(std::vector<double> losses) {
  Observations observations{.inputs = {losses.size(), {1e8, 1e10}}, .loss = std::move(losses)};
  return observations;
}

}  // namespace

TEST_CASE("minimize: a threshold above all residuals gives the mean of the log losses") {
  const Observations observations = constant_model({2.0, 2.5, 3.5, 2.25, 5.0});
  double mean = 0;
  for (const double loss : observations.loss) mean += std::log(loss) / 5;
  const Objective objective(find_law("chinchilla"), observations, {.delta = 10});
  const Minimum minimum = minimize(objective, kNoTerms, kOnlyE);
  CHECK(minimum.converged);
  // The cost is flat to its last digit within the square root of that digit.
  CHECK(minimum.fitted[4] == relative(mean, 1e-7));
  CHECK(minimum.fitted[0] == kNoTerms[0]);  // fixed ones stay, bit for bit
  CHECK(minimum.fitted[1] == kNoTerms[1]);
}

TEST_CASE("minimize: a threshold far below the residuals gives their median") {
  const Objective objective(find_law("chinchilla"), constant_model({2.0, 2.5, 3.5, 2.25, 5.0}), {.delta = 1e-5});
  const Minimum minimum = minimize(objective, kNoTerms, kOnlyE);
  CHECK(minimum.converged);
  // An odd number of points and slopes of +-delta elsewhere balance exactly at the median.
  CHECK(minimum.fitted[4] == relative(std::log(2.5), 1e-7));
}

TEST_CASE("minimize: a minimum outside the bounds is found on them") {
  // Losses of a pure power law in N that fall to 1e-5: far below the lower bound of E, whose term must not help.
  const Law& law = find_law("chinchilla");
  const std::vector<double> truth{3000, 1.0, 1e-6, 5, 1e-9};
  const Observations observations = planted(law, truth, full_design({1e6, 1e7, 1e8, 3e8}, {1e9, 1e10}));
  const std::vector<bool> fixed{false, false, true, true, false};
  std::vector<double> start = law.to_fitted(truth);
  start[4] = 0;
  const Minimum minimum = minimize(Objective(law, observations, {.delta = 1e-3}), start, fixed);
  CHECK(minimum.fitted[4] == relative(std::log(law.parameters()[4].lower), 1e-12));
}

TEST_CASE("minimize: a minimum on a bound is reached from everywhere, and nothing else can move there") {
  // Losses without an irreducible part under noise of 1 %: the best E is 0, which its bound forbids.
  const Law& law = find_law("chinchilla");
  const std::vector<double> truth{5, 0.15, 12, 0.2, 1e-9};
  const Objective objective(
      law, planted(law, truth, full_design({1e4, 5e4, 1e5, 2e5}, {6e4, 1.2e5, 2.5e5, 5e5}), 0.01, 2), {.delta = 1e-3});
  double best = std::numeric_limits<double>::infinity();
  for (const double log_a : {0.0, 2.0, 4.0}) {
    for (const double beta : {0.1, 0.5, 1.0}) {
      CAPTURE(log_a);
      CAPTURE(beta);
      const Minimum minimum = minimize(objective, {log_a, 0.3, 2, beta, 0}, std::vector<bool>(5));
      CHECK(minimum.converged);
      CHECK(minimum.fitted[4] == relative(std::log(law.parameters()[4].lower), 1e-12));
      // First-order conditions: flat in what is free, rising towards the inside in E.
      const std::vector<double> gradient = objective.gradient(minimum.fitted);
      for (std::size_t j = 0; j < 4; ++j) CHECK(std::abs(gradient[j]) < 1e-6);
      CHECK(gradient[4] >= 0);
      if (std::isinf(best)) best = minimum.cost;
      CHECK(minimum.cost == relative(best, 1e-6));
    }
  }
}

TEST_CASE("minimize: where the data do not show a term, coordinates stop before exp overflows") {
  const Law& law = find_law("fp_quantization");
  const std::vector<double> truth{40, 0.35, 400, 0.4, 1.1, 3000, 3, 3};  // penalties of 1e-4 nats under noise of 2e-3
  std::vector<std::vector<double>> design;
  for (const auto& point : full_design({1e4, 3e4, 1e5, 3e5}, {1e6, 3e6, 1e7})) {
    design.push_back({point[0], point[1], 8, 23, 1});
    design.push_back({point[0], point[1], 4, 3, 32});
    design.push_back({point[0], point[1], 2, 1, 16});
  }
  const Objective objective(law, planted(law, truth, design, 0.002, 1), {.delta = 1e-3});
  for (const double log_gamma : {0.0, 5.0, 10.0}) {
    for (const double power : {1.0, 3.0}) {
      CAPTURE(log_gamma);
      CAPTURE(power);
      const Minimum minimum = minimize(objective, {5, 0.5, 0, 0.25, 1, log_gamma, power, power}, std::vector<bool>(8));
      CHECK(minimum.converged);
      CHECK(std::isfinite(minimum.cost));
    }
  }
}

TEST_CASE("multi start: every kept start of the Chinchilla grid finds the planted law") {
  const Law& law = find_law("chinchilla");
  const Observations observations = planted(law, kChinchillaTruth, chinchilla_design(), 0.005, 3);
  const Objective objective(law, observations, {.delta = 1e-3});
  const MultiStart result =
      multi_start(objective, std::vector<bool>(5), std::vector<double>(5), {.search = Search::Grid, .keep = 12});
  CHECK(result.screened == 4500);
  CHECK(result.refined == 12);
  CHECK(result.agreeing >= 10);
  CHECK(result.best.converged);
  const std::vector<double> gradient = objective.gradient(result.best.fitted);
  for (const double slope : gradient) CHECK(std::abs(slope) < 1e-6);  // against sum |H'| = 36 * 1e-3
}

TEST_CASE("multi start: solved coefficients and quasi-random points find the minimum of the grid") {
  const Law& law = find_law("chinchilla");
  const Objective objective(law, planted(law, kChinchillaTruth, chinchilla_design(), 0.005, 3), {.delta = 1e-3});
  const std::vector<bool> fixed(5);
  const std::vector<double> values(5);
  const MultiStart grid = multi_start(objective, fixed, values, {.search = Search::Grid});
  const MultiStart projection = multi_start(objective, fixed, values, {.search = Search::Projection});
  const MultiStart sobol = multi_start(objective, fixed, values, {.search = Search::Sobol, .sobol_points = 64});
  const MultiStart halved = multi_start(objective, fixed, values, {.keep = 16, .halving = true});
  CHECK(projection.screened == 25);
  CHECK(sobol.screened == 64);
  CHECK(halved.refined == 4);
  CHECK(projection.best.cost == relative(grid.best.cost, 1e-9));
  CHECK(sobol.best.cost == relative(grid.best.cost, 1e-9));
  CHECK(halved.best.cost == relative(grid.best.cost, 1e-9));
}

TEST_CASE("multi start: at the true exponents the solved coefficients are the true ones") {
  const Law& law = find_law("chinchilla");
  const Objective objective(law, planted(law, kChinchillaTruth, chinchilla_design()), {});
  std::vector<double> fitted = law.to_fitted(kChinchillaTruth);
  fitted[0] = fitted[2] = 3;
  fitted[4] = 1;
  const std::vector<double> solved = law.to_natural(solve_affine(objective, fitted, {0, 2, 4}));
  for (const std::size_t j : {0U, 2U, 4U}) CHECK(solved[j] == relative(kChinchillaTruth[j], 1e-9));
}
