// The 40 losses that Tissue et al. (2024, arXiv:2408.11029) publish with their script, and what it makes of them.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

#include "fitting/fit/fit.h"
#include "fitting/fit/objective.h"
#include "fitting/laws/schedule.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {

using Losses = std::array<double, 20>;  // at steps 1000, 2000, ..., 20000

constexpr Losses kCosine{3.6696358, 3.3254106, 3.1908393, 3.1158533, 3.0604768, 3.020384,  2.9880967,
                         2.9612265, 2.9395165, 2.9195616, 2.9030452, 2.8881907, 2.8767889, 2.8654318,
                         2.8565135, 2.8489892, 2.843639,  2.8398669, 2.8380618, 2.8376071};
constexpr Losses kConstant{3.6714418, 3.325626,  3.1884103, 3.111947,  3.058354,  3.0211415, 2.9874816,
                           2.96082,   2.9406552, 2.9241402, 2.9054413, 2.8942103, 2.8807929, 2.8702695,
                           2.862175,  2.8530996, 2.8448784, 2.8383856, 2.8326995, 2.8294308};

/// Inputs (S1, S2): a warm-up of 500 steps as the peak of 2e-4, then constant or a cosine to 0 at step 20000.
Observations points(double lambda) {
  Observations observations;
  const auto add = [&](const Losses& losses, ScheduleShape shape) {
    const LearningRateSums sums = learning_rate_sums(
        make_schedule({.shape = shape, .peak = 2e-4, .warmup = 501, .steps = 20000}), lambda, Warmup::AsPeak);
    for (std::size_t k = 0; k < losses.size(); ++k) {
      observations.inputs.push_back({sums.s1[1000 * (k + 1)], sums.s2[1000 * (k + 1)]});
      observations.loss.push_back(losses[k]);
      observations.ids.push_back(std::to_string(observations.ids.size()));
    }
  };
  add(kCosine, ScheduleShape::Cosine);
  add(kConstant, ScheduleShape::Constant);
  observations.cluster = observations.ids;
  return observations;
}

}  // namespace

TEST_CASE("annealing: the authors' 40 points at the authors' coefficients have the objective of their script") {
  const Law& law = find_law("annealing");
  const double cost = Objective(law, points(0.999), {.delta = 1e-3}).cost(law.to_fitted(law.published()[3].values));
  CHECK(cost == relative(1.629246e-05, 1e-3));  // coefficients printed with five digits
}

TEST_CASE("annealing: the fit to the authors' 40 points is that of their script, for five lambdas") {
  struct Row {
    double lambda, floor, a, alpha, c, cost;  ///< five or six printed digits
  };
  for (const Row& row :
       {Row{.95, 2.62017, .43928, .54061, 19.512, 2.4221e-5}, Row{.99, 2.62065, .43868, .54116, 3.9157, 2.3171e-5},
        Row{.995, 2.62134, .43783, .54194, 1.96645, 2.1936e-5}, Row{.999, 2.6278, .42967, .54985, .41077, 1.62925e-5},
        Row{.9995, 2.6335, .42223, .5574, .2207, 1.8369e-5}}) {
    CAPTURE(row.lambda);
    const Observations observations = points(row.lambda);
    const FitRecord fit = fit_law(find_law("annealing"), observations, {.bootstrap = 0}, "points");
    CHECK(fit.cost - row.cost < 0.6e-9);  // four decimals of 1e-5
    CHECK(fit.cost == relative(row.cost, 1e-4));
    const std::array expected{row.floor, row.a, row.alpha, row.c};
    for (std::size_t j = 0; j < expected.size(); ++j) {
      CHECK(fit.parameters[j].estimate == relative(expected[j], 1e-3));
    }
    CHECK(std::abs(fit.parameters[3].estimate / (1 - row.lambda) - 411) < 31);  // C and lambda trade off: 390 to 441
    if (row.lambda != .999) continue;
    double mean = 0, residual = 0, total = 0;
    for (const double loss : observations.loss) mean += loss / 40;
    for (std::size_t i = 0; i < 40; ++i) {
      residual += std::pow(observations.loss[i] - fit.predicted[i], 2);
      total += std::pow(observations.loss[i] - mean, 2);
    }
    CHECK(std::abs(1 - residual / total - .999634) < 0.51e-6);
  }
}
