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

constexpr std::uint32_t kNoiseSlot = 1;  // the stream of added noise, beside that of the draws

/// Number `index` of the standard normal numbers of a draw.
double normal_number(std::uint64_t seed, std::uint32_t draw, std::size_t index) {
  const double uniform = (random_bits({.seed = seed, .step = draw, .slot = kNoiseSlot}, index) + 0.5) * 0x1p-32;
  return quantile(boost::math::normal(), uniform);
}

double median_magnitude(std::vector<double> values) {
  for (double& value : values) value = std::abs(value);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// A fit's predictions (in the residual's coordinate) and its residuals, widened for the parameters fitted.
struct FitNoise {
  FitNoise(const Objective& objective, const std::vector<double>& optimum, const std::vector<bool>& fixed)
      : predicted(objective.size()), residuals(objective.size()) {
    objective.residuals(optimum, residuals, {});
    const auto n = static_cast<double>(residuals.size());
    const auto q = static_cast<double>(std::count(fixed.begin(), fixed.end(), false));
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      predicted[i] = objective.observed()[i] + residuals[i];
      residuals[i] *= std::sqrt(n / std::max(n - q, 1.0));
    }
    deviation = 1.4826 * median_magnitude(residuals);  // of a normal sample with that median
  }

  std::vector<double> predicted, residuals;
  double deviation;
};

/// The observed values of one draw.
std::vector<double> drawn_observations(const Objective& objective, const FitNoise& noise,
                                       const std::vector<std::size_t>& cluster_of_row, const BootstrapOptions& options,
                                       std::uint32_t draw) {
  const std::size_t n = objective.size();
  std::vector<double> observed(objective.observed().begin(), objective.observed().end());
  for (std::size_t i = 0; i < n; ++i) {
    if (options.resampling == Resampling::Residuals) {
      const std::size_t chosen = (std::uint64_t{random_bits({.seed = options.seed, .step = draw}, i)} * n) >> 32;
      observed[i] = noise.predicted[i] - noise.residuals[chosen];
    } else if (options.resampling == Resampling::Parametric) {
      const double deviation = options.noise > 0 ? options.noise : noise.deviation;
      observed[i] = noise.predicted[i] + deviation * normal_number(options.seed, draw, cluster_of_row[i]);
    }
    if (options.resampling != Resampling::Parametric && options.noise > 0) {
      observed[i] += options.noise * normal_number(options.seed, draw, cluster_of_row[i]);
    }
  }
  return observed;
}

}  // namespace

std::vector<double> bootstrap(const Objective& objective, const std::vector<double>& optimum,
                              const std::vector<bool>& fixed, std::span<const std::string> clusters,
                              const BootstrapOptions& options) {
  BITLAW_CHECK(clusters.size() == objective.size(), "{} clusters, {} rows", clusters.size(), objective.size());
  const std::vector<std::size_t> cluster_of_row = number_clusters(clusters);
  const FitNoise noise(objective, optimum, fixed);
  const std::size_t p = optimum.size(), count = static_cast<std::size_t>(options.count);
  std::vector<double> draws(count * p);
  parallel_for(count, options.threads, [&](std::size_t number) {
    const auto draw = static_cast<std::uint32_t>(number);
    Objective resampled = objective;
    if (options.resampling != Resampling::Runs || options.noise > 0) {
      resampled = objective.with_observed(drawn_observations(objective, noise, cluster_of_row, options, draw));
    }
    if (options.resampling == Resampling::Runs) {
      resampled = resampled.reweighted(multiplicities(cluster_of_row, options.seed, draw));
    }
    // A relative decrease of 1e-9 leaves parameters within about 1e-4 of their own spread.
    const Minimum minimum = minimize(resampled, optimum, fixed, {.relative_decrease = 1e-9, .iterations = 300});
    const std::vector<double> natural = objective.law().to_natural(minimum.fitted);
    std::copy(natural.begin(), natural.end(), draws.begin() + static_cast<std::ptrdiff_t>(number * p));
  });
  return draws;
}

std::vector<double> leave_one_out(const Objective& objective, const std::vector<double>& optimum,
                                  const std::vector<bool>& fixed, std::span<const std::string> clusters, int threads) {
  const std::vector<std::size_t> cluster_of_row = number_clusters(clusters);
  const std::size_t runs = 1 + *std::max_element(cluster_of_row.begin(), cluster_of_row.end()), p = optimum.size();
  std::vector<double> estimates(runs * p);
  parallel_for(runs, threads, [&](std::size_t run) {
    std::vector<double> weights;
    for (const std::size_t cluster : cluster_of_row) weights.push_back(cluster == run ? 0 : 1);
    const Minimum minimum =
        minimize(objective.reweighted(weights), optimum, fixed, {.relative_decrease = 1e-13, .iterations = 300});
    std::copy(minimum.fitted.begin(), minimum.fitted.end(), estimates.begin() + static_cast<std::ptrdiff_t>(run * p));
  });
  return estimates;
}

std::vector<double> jackknife_errors(std::span<const double> estimates, std::size_t p) {
  const std::size_t runs = estimates.size() / p;
  std::vector<double> errors(p);
  for (std::size_t j = 0; j < p; ++j) {
    double mean = 0, squares = 0;
    for (std::size_t g = 0; g < runs; ++g) mean += estimates[g * p + j] / static_cast<double>(runs);
    for (std::size_t g = 0; g < runs; ++g) squares += std::pow(estimates[g * p + j] - mean, 2);
    errors[j] = std::sqrt(squares * static_cast<double>(runs - 1) / static_cast<double>(runs));
  }
  return errors;
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
