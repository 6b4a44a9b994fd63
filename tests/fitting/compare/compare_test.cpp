#include "fitting/compare/compare.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "core/base/limits.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

TEST_CASE("compare: a threshold above all residuals gives the normal likelihood, one below them the Laplace one") {
  const std::vector<double> residuals{0.3, -0.1, 0.2, -0.4, 0.05};
  double squares = 0, sum = 0;
  for (const double r : residuals) {
    squares += r * r / 5;
    sum += std::abs(r) / 5;
  }
  const std::vector<double> ones(5, 1);
  const double normal = 2.5 * (std::log(2 * std::numbers::pi * squares) + 1);
  CHECK(huber_density_cost(residuals, ones, 10, 1) == relative(normal, 1e-9));
  CHECK(huber_density_cost(residuals, ones, kInfinity, 1) == relative(normal, 1e-9));
  CHECK(huber_density_cost(residuals, ones, 1e-6, 1) == relative(5 * (std::log(2 * sum) + 1), 1e-4));
}

TEST_CASE("compare: a row of weight w has a density as wide as w says, whichever unit weights have") {
  const std::vector<double> residuals{0.3, -0.1, 0.2, -0.4, 0.05}, weights{1, 4, 0.5, 2, 9};
  double squares = 0, sum = 0, logs = 0;
  std::vector<double> doubled;
  for (std::size_t i = 0; i < 5; ++i) {
    squares += weights[i] * residuals[i] * residuals[i] / 5;
    sum += weights[i] * std::abs(residuals[i]) / 5;
    logs += std::log(weights[i]);
    doubled.push_back(2 * weights[i]);
  }
  // Normal of variance s^2 / w, and Laplace of mean magnitude b / w.
  CHECK(huber_density_cost(residuals, weights, 10, 1) ==
        relative(2.5 * (std::log(2 * std::numbers::pi * squares) + 1) - logs / 2, 1e-9));
  CHECK(huber_density_cost(residuals, weights, 1e-6, 1) == relative(5 * (std::log(2 * sum) + 1) - logs, 1e-4));
  CHECK(huber_density_cost(residuals, doubled, 0.1, 1) ==
        relative(huber_density_cost(residuals, weights, 0.1, 1), 1e-9));
}

TEST_CASE("compare: predictions above count by their factor in a density of two halves") {
  // exp(-r^2 / 2 s^2) below zero and exp(-9 r^2 / 2 s^2) above integrate to s sqrt(2 pi) (1 + 1/3) / 2.
  const std::vector<double> residuals{0.3, -0.1, 0.2, -0.4, 0.05}, ones(5, 1);
  double squares = 0;
  for (const double r : residuals) squares += (r > 0 ? 9 : 1) * r * r / 5;
  CHECK(huber_density_cost(residuals, ones, kInfinity, 9) ==
        relative(2.5 * (std::log(2 * std::numbers::pi * squares) + 1) + 5 * std::log(2.0 / 3), 1e-9));
}

TEST_CASE("compare: rows copied within their runs, and weights all alike, support no law more") {
  const Law& law = find_law("chinchilla");
  const Observations once = planted(law, kChinchillaTruth, chinchilla_design(), 0.005, 1);
  Observations copied, weighted = once;
  weighted.weights.assign(once.loss.size(), 2);
  for (std::size_t i = 0; i < once.loss.size(); ++i) {
    for (int copy = 0; copy < 10; ++copy) {
      copied.ids.push_back(once.ids[i]);
      copied.inputs.push_back(once.inputs[i]);
      copied.loss.push_back(once.loss[i]);
      copied.cluster.push_back(once.cluster[i]);
    }
  }
  for (const Loss loss : {Loss::Huber, Loss::LeastSquares, Loss::HuberLikelihood, Loss::StudentT}) {
    CAPTURE(static_cast<int>(loss));
    const CompareOptions options{.fit = {.objective = {.loss = loss, .delta = loss == Loss::Huber ? 1e-3 : 1}},
                                 .cutoffs = 1};
    const LawScore plain = compare_laws({&law}, {once}, options)[0];
    for (const Observations& other : {copied, weighted}) {
      const LawScore same = compare_laws({&law}, {other}, options)[0];
      CHECK(same.aicc == relative(plain.aicc, 1e-5));
      CHECK(same.bic == relative(plain.bic, 1e-5));
    }
  }
}

TEST_CASE("compare: stacking takes the better law, or half of each where their errors cancel") {
  CHECK(stacking_weights({{1, -1, 1}, {0.1, 0.1, -0.1}})[1] > 0.9);
  const std::vector<double> half = stacking_weights({{1, 1, 1}, {-1, -1, -1}});
  CHECK(half[0] == relative(0.5, 1e-6));
  CHECK(stacking_weights({{1, 2}})[0] == 1);
  // What could not predict a left-out row takes no part.
  CHECK(stacking_weights({{1, -1, 1}, {kNan, 0, 0}, {0.1, 0.1, -0.1}}) ==
        std::vector{stacking_weights({{1, -1, 1}, {0.1, 0.1, -0.1}})[0], 0.0,
                    stacking_weights({{1, -1, 1}, {0.1, 0.1, -0.1}})[1]});
}

TEST_CASE("compare: the planted law wins over a simpler one that is wrong and over a larger one that says no more") {
  const Law &truth = find_law("chinchilla"), &tied = find_law("chinchilla_tied"), &kaplan = find_law("kaplan_nd");
  const Observations data =
      planted(truth, std::vector<double>{482, 0.30, 4000, 0.42, 1.8}, chinchilla_design(), 0.004, 7);
  CompareOptions options;
  options.fit.starts = 6;
  const std::vector<LawScore> scores = compare_laws({&truth, &tied, &kaplan}, {data, data, data}, options);
  REQUIRE(scores.size() == 3);
  CHECK(scores[0].parameters == 6);
  CHECK(scores[0].weight > 0.95);
  CHECK(scores[0].aicc < scores[1].aicc - 6);
  CHECK(scores[0].bic < scores[2].bic - 6);
  CHECK(scores[0].weight + scores[1].weight + scores[2].weight == relative(1, 1e-12));
  CHECK(scores[0].folds_error == relative(0.004, 0.35));  // the noise: 36 residuals give it to 12 %, and a little more
  CHECK(scores[0].folds_error < scores[2].folds_error);
  CHECK(scores[0].rollout_error < scores[2].rollout_error);
  CHECK(std::abs(scores[2].rollout_bias) > std::abs(scores[0].rollout_bias));

  // A law whose extra parameters do nothing costs what they are worth: 2 q of Akaike's criterion.
  const Observations same = planted(tied, std::vector<double>{482, 0.35, 2085, 1.8}, chinchilla_design(), 0.004, 8);
  options.fit.objective.loss = Loss::LeastSquares;
  const std::vector<LawScore> nested = compare_laws({&tied, &truth}, {same, same}, options);
  CHECK(nested[1].log_likelihood >= nested[0].log_likelihood);
  CHECK(nested[1].log_likelihood - nested[0].log_likelihood < 4);  // half a chi-square with one degree of freedom
}

TEST_CASE("compare: rollouts go over every cutoff between two budgets that keeps half the runs") {
  // Constant losses but the last budget's, which are e^0.3 higher: L = E fitted below a cutoff misses exactly those.
  Observations data;
  for (const double budget : {1e18, 1e19, 1e20, 1e21, 1e22, 1e23}) {
    for (const double ratio : {1.0, 2.0, 4.0}) {
      const double n = std::sqrt(budget) / ratio;
      data.inputs.push_back({n, budget / n * (1 + 1e-12 * ratio)});  // N D equal up to rounding
      data.loss.push_back(budget == 1e23 ? std::exp(0.3) : 1);
      data.ids.push_back(std::to_string(data.ids.size()));
    }
  }
  data.cluster = data.ids;
  CompareOptions options;
  options.fit.objective.loss = Loss::LeastSquares;
  options.fit.fixed = {{"A", 1e-6}, {"alpha", 5}, {"B", 1e-6}, {"beta", 5}};
  const LawScore all = compare_laws({&find_law("chinchilla")}, {data}, options)[0];
  // Cutoffs after 9, 12 and 15 of 18 rows: 9 + 6 + 3 rows beyond, 3 of them off by 0.3 each time.
  CHECK(all.rollout_bias == relative(-0.3 * 9 / 18, 1e-6));
  CHECK(all.rollout_error == relative(0.3 * std::sqrt(9.0 / 18), 1e-6));
  options.cutoffs = 1;
  const LawScore first = compare_laws({&find_law("chinchilla")}, {data}, options)[0];
  CHECK(first.rollout_bias == relative(-0.3 * 3 / 9, 1e-6));
}
