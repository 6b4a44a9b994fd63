#include "fitting/fit/objective.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "fitting/fit/minimize.h"
#include "fitting/laws/law.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

TEST_CASE("huber: a square inside the threshold, a line outside, one slope at the seam") {
  CHECK(huber(0.5, 1) == 0.125);
  CHECK(huber(-0.5, 1) == 0.125);
  CHECK(huber(1, 1) == 0.5);
  CHECK(huber(3, 1) == 2.5);  // 1 * (3 - 1/2)
  CHECK(huber(-3, 2) == 4);   // 2 * (3 - 1)
  CHECK(huber_slope(0.5, 1) == 0.5);
  CHECK(huber_slope(3, 1) == 1);
  CHECK(huber_slope(-3, 1) == -1);
}

TEST_CASE("huber objective: it is the sum over observations, not their mean") {
  const Law& law = find_law("chinchilla");
  Observations once = planted(law, kChinchillaTruth, chinchilla_design(), 0.01, 1);
  Observations twice = once;
  twice.inputs.insert(twice.inputs.end(), once.inputs.begin(), once.inputs.end());
  twice.loss.insert(twice.loss.end(), once.loss.begin(), once.loss.end());
  const std::vector<double> fitted = law.to_fitted(kChinchillaTruth);
  const double cost = Objective(law, once, {.delta = 1e-3}).cost(fitted);
  CHECK(Objective(law, twice, {.delta = 1e-3}).cost(fitted) == relative(2 * cost, 1e-13));

  double by_hand = 0;
  for (std::size_t i = 0; i < once.loss.size(); ++i) {
    const double r = std::abs(std::log(law.predict(kChinchillaTruth, once.inputs[i]) / once.loss[i]));
    by_hand += r <= 1e-3 ? r * r / 2 : 1e-3 * (r - 0.5e-3);
  }
  CHECK(cost == relative(by_hand, 1e-11));  // residuals of 1e-2 from logarithms of order one
}

TEST_CASE("huber objective: its gradient agrees with central differences of its cost") {
  const Law& law = find_law("chinchilla");
  const Observations observations = planted(law, kChinchillaTruth, chinchilla_design(), 0.01, 1);
  for (const double delta : {1e-3, 1.0}) {  // most residuals outside, and all inside
    const Objective objective(law, observations, {.delta = delta});
    const std::vector<double> fitted = law.to_fitted(kChinchillaTruth), gradient = objective.gradient(fitted);
    for (std::size_t j = 0; j < fitted.size(); ++j) {
      const double h = 1e-7;  // small enough that few residuals cross the threshold
      std::vector<double> up = fitted, down = fitted;
      up[j] += h;
      down[j] -= h;
      const double difference = (objective.cost(up) - objective.cost(down)) / (2 * h);
      CAPTURE(delta);
      CAPTURE(j);
      CHECK(gradient[j] == relative(difference, 1e-4));
    }
  }
}

TEST_CASE("huber objective: a weight counts an observation that often, weight zero leaves it out") {
  const Law& law = find_law("chinchilla");
  const Observations three = planted(law, kChinchillaTruth, {{1e8, 1e10}, {1e9, 1e9}, {1e9, 1e11}}, 0.01, 2);
  Observations repeated;  // the first twice, the second not at all
  for (const std::size_t i : {0U, 0U, 2U}) {
    repeated.inputs.push_back(three.inputs[i]);
    repeated.loss.push_back(three.loss[i]);
  }
  const std::vector<double> fitted = law.to_fitted(kChinchillaTruth);
  const Objective weighted = Objective(law, three, {.delta = 1e-3}).reweighted(std::vector<double>{2, 0, 1});
  CHECK(weighted.size() == 2);
  CHECK(weighted.cost(fitted) == relative(Objective(law, repeated, {.delta = 1e-3}).cost(fitted), 1e-13));
}

TEST_CASE("objective: the likelihoods are minus the logarithms of densities that integrate to one") {
  const Law& law = find_law("hestness");
  const Observations one = planted(law, std::vector<double>{1, 0.5, 2}, {{100.0}});
  for (const ObjectiveSpec& spec : {ObjectiveSpec{.loss = Loss::HuberLikelihood, .delta = 0.8, .scale = 0.5},
                                    ObjectiveSpec{.loss = Loss::HuberLikelihood, .delta = 3, .scale = 2},
                                    ObjectiveSpec{.loss = Loss::StudentT, .freedom = 3, .scale = 0.7}}) {
    const Objective objective(law, one, spec);
    double integral = 0;
    const double step = 0.01, end = 400;  // Student's tail beyond holds (0.7/400)^3
    for (double r = -end; r < end; r += step) integral += step * std::exp(-objective.rho(r + step / 2));
    CHECK(integral == relative(1, 1e-5));
  }
}

TEST_CASE("objective: slopes and roots of every loss agree with the loss") {
  const Law& law = find_law("hestness");
  const Observations one = planted(law, std::vector<double>{1, 0.5, 2}, {{100.0}});
  for (const ObjectiveSpec& spec :
       {ObjectiveSpec{.delta = 0.3}, ObjectiveSpec{.delta = 0.3, .over_factor = 10},
        ObjectiveSpec{.loss = Loss::LeastSquares}, ObjectiveSpec{.loss = Loss::StudentT, .freedom = 3, .scale = 0.7},
        ObjectiveSpec{.loss = Loss::HuberLikelihood, .delta = 0.8, .scale = 0.5}}) {
    const Objective objective(law, one, spec);
    CAPTURE(describe(spec));
    for (const double r : {-2.0, -0.35, -0.1, 0.05, 0.2, 0.6, 5.0}) {
      CAPTURE(r);
      const double h = 1e-6;
      CHECK(objective.slope(r) == relative((objective.rho(r + h) - objective.rho(r - h)) / (2 * h), 1e-7));
      double derivative = 0, unused = 0;
      const double root = objective.root(r, derivative);
      CHECK(root * root / 2 == relative(objective.rho(r) - objective.rho(0), 1e-12));
      CHECK(derivative == relative((objective.root(r + h, unused) - objective.root(r - h, unused)) / (2 * h), 1e-7));
    }
  }
}

TEST_CASE("objective: a mean by least squares, a median by Huber, a low quantile by an asymmetric Huber") {
  // L = E alone; log losses are 0, 1, 2, ... 10, one of them far off.
  Observations observations;
  for (int i = 0; i <= 10; ++i) {
    observations.inputs.push_back({1e9, 1e9});
    observations.loss.push_back(std::exp(i == 10 ? 100 : i));
    observations.ids.push_back(std::to_string(i));
  }
  observations.cluster = observations.ids;
  const auto level = [&](const ObjectiveSpec& spec, std::vector<double> weights = {}) {
    observations.weights = std::move(weights);
    return minimize(Objective(find_law("chinchilla"), observations, spec), kNoTerms, kOnlyE).fitted[4];
  };
  CHECK(std::abs(level({.delta = 1e-2}) - 5) < 0.011);                         // median of 0 .. 9, 100
  CHECK(std::abs(level({.delta = 1e-2, .over_factor = 4.4}) - 2) < 0.011);     // quantile 1 / 5.4 of eleven
  CHECK(std::abs(level({.loss = Loss::StudentT, .freedom = 4}) - 4.5) < 0.1);  // ignores the outlier
  CHECK(level({.delta = 1e-2}, {1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0}) == relative(2, 0.006));
}
