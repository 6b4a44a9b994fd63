#include "fitting/uncertainty/bootstrap.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <map>

#include "core/base/check.h"
#include "core/random/philox.h"
#include "fitting/fit/minimize.h"
#include "fitting/fit/parallel_for.h"

namespace bitlaw {
namespace {

/// The number of each row's cluster, in order of appearance.
std::vector<std::size_t> number_clusters(std::span<const std::string> clusters) {
  std::map<std::string_view, std::size_t> numbers;
  std::vector<std::size_t> result;
  for (const std::string& cluster : clusters)
    result.push_back(numbers.try_emplace(cluster, numbers.size()).first->second);
  return result;
}

/// How often each row occurs in draw number `draw`.
std::vector<double> multiplicities(const std::vector<std::size_t>& cluster_of_row, std::uint64_t seed,
                                   std::uint32_t draw) {
  const std::size_t clusters = 1 + *std::max_element(cluster_of_row.begin(), cluster_of_row.end());
  std::vector<double> times(clusters);
  for (std::size_t k = 0; k < clusters; ++k) {
    // 32 random bits scaled to [0, clusters): unfair by at most clusters / 2^32.
    ++times[(std::uint64_t{random_bits({.seed = seed, .step = draw}, k)} * clusters) >> 32];
  }
  std::vector<double> weights;
  for (const std::size_t cluster : cluster_of_row) weights.push_back(times[cluster]);
  return weights;
}

}  // namespace

std::vector<double> bootstrap_by_run(const Objective& objective, const std::vector<double>& optimum,
                                     const std::vector<bool>& fixed, std::span<const std::string> clusters, int count,
                                     std::uint64_t seed, int threads) {
  BITLAW_CHECK(clusters.size() == objective.size(), "{} clusters, {} rows", clusters.size(), objective.size());
  const std::vector<std::size_t> cluster_of_row = number_clusters(clusters);
  const std::size_t p = optimum.size();
  std::vector<double> draws(static_cast<std::size_t>(count) * p);
  parallel_for(static_cast<std::size_t>(count), threads, [&](std::size_t draw) {
    const Objective resampled =
        objective.reweighted(multiplicities(cluster_of_row, seed, static_cast<std::uint32_t>(draw)));
    // A relative decrease of 1e-9 leaves parameters within about 1e-4 of their own spread.
    const Minimum minimum = minimize(resampled, optimum, fixed, {.relative_decrease = 1e-9, .iterations = 300});
    const std::vector<double> natural = objective.law().to_natural(minimum.fitted);
    std::copy(natural.begin(), natural.end(), draws.begin() + static_cast<std::ptrdiff_t>(draw * p));
  });
  return draws;
}

double expanded_level(double level, std::size_t runs, std::size_t parameters) {
  BITLAW_CHECK(runs > parameters, "{} runs, {} parameters", runs, parameters);
  const auto freedom = static_cast<double>(runs - parameters);
  const double t = quantile(boost::math::students_t(freedom), (1 + level) / 2);
  return 1 - 2 * cdf(boost::math::normal(), -std::sqrt(static_cast<double>(runs) / freedom) * t);
}

std::pair<double, double> percentile_interval(std::vector<double> values, double level) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) {
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  }
  std::sort(values.begin(), values.end());
  const auto quantile = [&](double probability) {
    const double position = probability * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(position);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return values[below] + (position - std::floor(position)) * (values[above] - values[below]);
  };
  return {quantile((1 - level) / 2), quantile((1 + level) / 2)};
}

}  // namespace bitlaw
