#include "fitting/fit/objective.h"

#include <doctest/doctest.h>

#include <cmath>

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
