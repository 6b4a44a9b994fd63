#include "fitting/predict/metrics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace bitlaw;

TEST_CASE("metrics: a curve that is called as a split does not stand in for it") {
  // Two curves of one loss each; the split's entry counts both, each curve's one.
  const Observations observations{.inputs = {{0}, {0}}, .loss = {2, 4}, .cluster = {"train", "test_mean_of_curves"}};
  const std::vector<FitMetrics> metrics = metrics_by_curve("train", observations, {2.5, 4});
  std::vector<std::string> names;
  for (const FitMetrics& m : metrics) names.push_back(m.name);
  CHECK(names == std::vector<std::string>{"train", "train_mean_of_curves", "curve train", "curve test_mean_of_curves"});
  CHECK(metrics[0].count == 2);
  CHECK(metrics[0].mae == 0.25);
  CHECK(metrics[2].count == 1);
  CHECK(metrics[2].mae == 0.5);
}

TEST_CASE("metrics: a prediction that is no number leaves no metric, the worst error included") {
  const double none = std::numeric_limits<double>::quiet_NaN();
  for (const std::vector<double>& predicted : {std::vector<double>{none, 2, 3}, {1.5, none, 3}, {1.5, 2, none}}) {
    const FitMetrics m = metrics_of("train", {1, 2, 3}, predicted);
    for (const double metric : {m.r2, m.mae, m.rmse, m.relative_mean, m.relative_worst, m.log_rmse}) {
      CHECK(std::isnan(metric));
    }
  }
  CHECK(metrics_of("train", {1, 2, 4}, {1.5, 2, 3}).relative_worst == 0.5);
}
