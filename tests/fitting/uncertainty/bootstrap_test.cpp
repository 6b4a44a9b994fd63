#include "fitting/uncertainty/bootstrap.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "core/random/philox.h"
#include "fitting/fit/fit.h"
#include "fitting/fit/minimize.h"
#include "fitting/uncertainty/covariance.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {

std::vector<double> draws_of_log_e(const Observations& observations, int count) {
  const Objective objective(find_law("chinchilla"), observations, {.delta = 10});
  const Minimum optimum = minimize(objective, kNoTerms, kOnlyE);
  const std::vector<double> draws =
      bootstrap(objective, optimum.fitted, kOnlyE, observations.cluster, {.count = count, .seed = 1, .threads = 2});
  std::vector<double> result;
  for (std::size_t at = 4; at < draws.size(); at += 5) result.push_back(std::log(draws[at]));
  return result;
}

double variance(const std::vector<double>& values) {
  double mean = 0, sum = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) sum += std::pow(value - mean, 2);
  return sum / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("bootstrap: the spread of a mean is the closed form, (n - 1) / n of its usual variance") {
  Observations observations;
  for (int i = 0; i < 20; ++i) {
    observations.inputs.push_back({1e8, 1e10});
    observations.loss.push_back(std::exp(0.01 * i * i));
    observations.cluster.push_back(std::to_string(i));
  }
  std::vector<double> logs;
  for (const double loss : observations.loss) logs.push_back(std::log(loss));
  const std::vector<double> draws = draws_of_log_e(observations, 2000);
  // Efron & Tibshirani 1993, Eq. 5.12: population variance / n. Its estimate from 2000 draws errs by sqrt(2 / 2000) = 3
  // %.
  CHECK(variance(draws) == relative(variance(logs) / 20, 0.12));
}

TEST_CASE("bootstrap: rows of one run are drawn together") {
  // Two runs of ten equal rows: a draw has 0, 1 or 2 times the first, so a mean takes three values only.
  Observations observations;
  for (int i = 0; i < 20; ++i) {
    observations.inputs.push_back({1e8, 1e10});
    observations.loss.push_back(i < 10 ? std::exp(1.0) : std::exp(2.0));
    observations.cluster.push_back(i < 10 ? "first" : "second");
  }
  std::set<double> rounded;
  for (const double draw : draws_of_log_e(observations, 200)) rounded.insert(std::round(draw * 1e6) * 1e-6);
  CHECK(rounded.size() == 3);
  CHECK(*rounded.begin() == relative(1.0, 1e-7));
  CHECK(*std::next(rounded.begin()) == relative(1.5, 1e-7));
  CHECK(*rounded.rbegin() == relative(2.0, 1e-7));
}

TEST_CASE("expanded level: ten runs and a mean give the level from printed tables, many runs the level asked for") {
  // t(0.975, 9) = 2.262, sqrt(10 / 9) * 2.262 = 2.3844, Phi(-2.3844) = 0.00855.
  CHECK(expanded_level(0.95, 10, 1, 9) == relative(1 - 2 * 0.00855, 1e-4));
  CHECK(expanded_level(0.95, 100000, 5, 99995) == relative(0.95, 1e-4));
  CHECK(expanded_level(0.95, 10, 1, 1e-4) == 1);  // Student's quantile is beyond double, so all draws are within it
}

TEST_CASE("percentile interval: of 1..99 the number (n + 1) p, between numbers by linear interpolation") {
  std::vector<double> values;
  for (int i = 99; i >= 1; --i) values.push_back(i);
  const auto [low, high] = percentile_interval(values, 0.95);
  CHECK(low == relative(2.5, 1e-12));
  CHECK(high == relative(97.5, 1e-12));
  CHECK(percentile_interval(values, 0.9999) == std::pair{1.0, 99.0});
  CHECK(percentile_interval({7}, 0.95) == std::pair{7.0, 7.0});
}

TEST_CASE("percentile interval: one more value of the same kind lies inside as often as the level says") {
  // Of n + 1 exchangeable values the last lies between the k-th and the (n + 1 - k)-th of the others with probability
  // 1 - 2 k / (n + 1): n = 19, k = 1 gives 0.9. 40,000 trials err by 0.15 %, four of these are allowed.
  constexpr int kTrials = 40'000;
  int within = 0;
  for (std::uint32_t trial = 0; trial < kTrials; ++trial) {
    std::vector<double> values;
    for (std::size_t i = 0; i < 20; ++i) values.push_back(random_bits({.seed = 7, .step = trial}, i));
    const double last = values.back();
    values.pop_back();
    const auto [low, high] = percentile_interval(values, 0.9);
    within += low <= last && last <= high;
  }
  CHECK(std::abs(within / double{kTrials} - 0.9) < 0.006);
}

TEST_CASE("percentile interval: values that are not finite do not count, and none gives NaN") {
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(percentile_interval({1, inf, 1, std::nan("")}, 0.9) == std::pair{1.0, 1.0});
  CHECK(std::isnan(percentile_interval({inf}, 0.9).first));
}

TEST_CASE("calibrated level: the share of second steps within the first steps' quantile") {
  // First steps 1, 2, ... 99, of which the quantile 0.9 is number (99 + 1) 0.9; second ones a quarter longer, so 72 are
  // within 90. Then all are four times as long as that.
  std::vector<double> first, second;
  for (int k = 1; k < 100; ++k) {
    first.push_back(k % 2 == 0 ? 1000 + k : 1000 - k);
    second.push_back(first.back() - 1.25 * (100 - k));
  }
  CHECK(calibrated_level(0.9, 1000, first, second) == 72.0 / 99);
  for (std::size_t k = 0; k < 99; ++k) second[k] = first[k] + 360;
  CHECK(calibrated_level(0.9, 1000, first, second) == 0);
  second = first;  // no step at all: not 1, which no number of draws could hold
  CHECK(calibrated_level(0.9, 1000, first, second) == 0.9999);
}

TEST_CASE("calibrated level: pairs that are not finite do not count, and without any the level stays") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  CHECK(calibrated_level(0.9, 0, std::vector{1.0, inf, 1.0, 1.0}, std::vector{3.0, 0.0, nan, 1.5}) == 0.5);
  CHECK(calibrated_level(0.9, 0, std::vector{inf, 1.0}, std::vector{0.0, nan}) == 0.9);
  CHECK(calibrated_level(0.9, 0, std::vector{1.0, 2.0}, {}) == 0.9);
}

TEST_CASE("second draws: none for least squares; shorter steps under a small threshold, whose refits jump") {
  const Observations observations = planted(find_law("chinchilla"), kChinchillaTruth, chinchilla_design(), 0.005, 3);
  const Law& law = find_law("chinchilla");
  const std::vector<bool> free(5);
  const auto levels = [&](double delta, int threads) {
    const Objective objective(law, observations, {.delta = delta});
    const Minimum optimum = minimize(objective, law.to_fitted(kChinchillaTruth), free);
    const BootstrapOptions options{.count = 200, .seed = 1, .threads = threads};
    const std::vector<double> draws = bootstrap(objective, optimum.fitted, free, observations.cluster, options);
    const std::vector<double> second =
        second_draws(objective, optimum.fitted, free, observations.cluster, draws, options);
    std::vector<double> result;
    for (std::size_t j = 0; j < 5 && !second.empty(); ++j) {
      std::vector<double> first_of, second_of;
      for (std::size_t at = j; at < draws.size(); at += 5) {
        first_of.push_back(to_fitted(law.parameters()[j], draws[at]));
        second_of.push_back(to_fitted(law.parameters()[j], second[at]));
      }
      result.push_back(calibrated_level(0.9, optimum.fitted[j], first_of, second_of));
    }
    return result;
  };
  CHECK(levels(10, 2).empty());
  const std::vector<double> own = levels(1e-3, 2);
  REQUIRE(own.size() == 5);
  CHECK(std::accumulate(own.begin(), own.end(), 0.0) / 5 < 0.9);
  CHECK(*std::min_element(own.begin(), own.end()) > 0.7);
  CHECK(levels(1e-3, 1) == own);
}
