#include "fitting/uncertainty/percentile_intervals.h"

#include <doctest/doctest.h>

#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "fitting/fit/fit.h"
#include "fitting/uncertainty/bootstrap.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {

const DerivedValue kItself = [](std::span<const double> draw) { return draw[0]; };

/// 1 ... 99 in an order that is not theirs.
std::vector<double> ninety_nine() {
  std::vector<double> values;
  for (int k = 0; k < 99; ++k) values.push_back(1 + 37 * k % 99);
  return values;
}

}  // namespace

TEST_CASE(
    "percentile intervals: one for 90 % of ten runs is widened by printed tables, or not where draws are already") {
  // sqrt(10 / 9) t(0.95, 9) = 1.054093 * 1.833113 = 1.932270, P(Z < -1.932270) = 0.02666305: number 100 p of 1 ... 99.
  const std::vector<double> draws = ninety_nine();
  PercentileIntervals intervals{.draws = draws, .p = 1, .runs = 10, .unknowns = 1, .level = 0.9, .widened = true};
  CHECK(intervals.of(kItself, 50, false, 9).first == relative(2.666305, 1e-6));
  CHECK(intervals.of(kItself, 50, false, 9).second == relative(100 - 2.666305, 1e-6));
  CHECK(intervals.of(kItself, 50, true, 9) == intervals.of(kItself, 50, false, 9));
  intervals.widened = false;
  CHECK(intervals.of(kItself, 50, false, 9).first == relative(5, 1e-9));
  intervals.draws = {};
  CHECK(std::isnan(intervals.of(kItself, 50, false, 9).first));
}

TEST_CASE("percentile intervals: a calibrated level is widened for few degrees of freedom, not for what was followed") {
  // First steps from 50 are of the sizes 0, 1, 1, ... 49, 49, of which the quantile 0.9 is 45; second steps of half as
  // many again, 0, 1.5, 1.5, ...: those within 45 are of the sizes up to 30, 61 of 99.
  // t of (1 + 61 / 99) / 2 with 9 degrees of freedom, and the normal probability below it: scipy 1.14.
  const std::vector<double> draws = ninety_nine();
  PercentileIntervals intervals{.draws = draws, .p = 1, .runs = 10, .unknowns = 1, .level = 0.9, .widened = true};
  for (const double draw : draws) intervals.second.push_back(draw + 1.5 * (draw - 50));
  CHECK(intervals.of(kItself, 50, false, 9).first == relative(17.998336, 1e-6));
  // The same in logarithms, for a quantity that is positive.
  std::vector<double> powers, again;
  for (const double draw : draws) powers.push_back(std::exp(draw));
  for (const double draw : intervals.second) again.push_back(std::exp(draw));
  intervals.draws = powers;
  intervals.second = again;
  const double low = std::log(intervals.of(kItself, std::exp(50.0), true, 9).first);
  CHECK(low > 17);  // between the same two draws, where it is interpolated otherwise
  CHECK(low < 18);
}

TEST_CASE("percentile intervals: of a mean by least squares a fit's is the textbook's") {
  // Hesterberg (2015), arXiv:1411.5279, §5.3: expanded percentiles make up for what resampled means lack. Ten values at
  // normal quantiles; 4000 draws know an end to 2 %, and resampled means have lighter tails than normal ones.
  Observations observations;
  double squares = 0;
  for (int i = 0; i < 10; ++i) {
    const double value = 0.01 * normal_quantile((i + 0.5) / 10);
    observations.inputs.push_back({1e9, 1e10});
    observations.loss.push_back(std::exp(value));
    observations.ids.push_back(std::to_string(i));
    squares += value * value;
  }
  observations.cluster = observations.ids;
  FitOptions options{.objective = {.loss = Loss::LeastSquares}, .bootstrap = 4000, .level = 0.9};
  options.fixed = {{"A", 1e-6}, {"alpha", 5}, {"B", 1e-6}, {"beta", 5}};  // terms below 1e-40
  const FitRecord fit = fit_law(find_law("chinchilla"), observations, options, "fit");
  const double half = quantile(boost::math::students_t(9), 0.95) * std::sqrt(squares / 9 / 10);
  CHECK(std::log(fit.parameters[4].boot_high) == relative(half, 0.05));
  CHECK(std::log(fit.parameters[4].boot_low) == relative(-half, 0.05));
}

TEST_CASE(
    "percentile intervals: a fit's are calibrated to less than plain ones where refits jump, else widened beyond") {
  const Law& law = find_law("chinchilla");
  const Observations observations = planted(law, kChinchillaTruth, chinchilla_design(), 0.005, 3);
  const auto width_over_plain = [&](double delta) {  // mean over the parameters
    const FitRecord fit = fit_law(law, observations,
                                  {.objective = {.delta = delta}, .bootstrap = 400, .level = 0.9, .threads = 2}, "fit");
    double sum = 0;
    for (std::size_t j = 0; j < 5; ++j) {
      std::vector<double> values;
      for (std::size_t at = j; at < fit.draws.size(); at += 5) values.push_back(std::log(fit.draws[at]));
      const auto [low, high] = percentile_interval(values, 0.9);
      sum += std::log(fit.parameters[j].boot_high / fit.parameters[j].boot_low) / (high - low) / 5;
    }
    return sum;
  };
  CHECK(width_over_plain(1e-3) < 0.97);
  CHECK(width_over_plain(10) > 1.1);  // sqrt(36 / 31) and t over a normal quantile: 1.077 * 1.05 or more
}
