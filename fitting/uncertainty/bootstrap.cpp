#include "fitting/uncertainty/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/base/check.h"
#include "core/base/distributions.h"
#include "core/base/parallel_for.h"
#include "core/random/philox.h"
#include "fitting/fit/minimize.h"
#include "fitting/uncertainty/normal_number.h"

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

/// `count` numbers below `count`, drawn with replacement.
std::vector<std::size_t> drawn_numbers(std::size_t count, const RandomStream& stream) {
  std::vector<std::size_t> numbers;
  for (std::size_t k = 0; k < count; ++k) {
    // 32 random bits scaled to [0, count): unfair by at most count / 2^32.
    numbers.push_back((std::uint64_t{random_bits(stream, k)} * count) >> 32);
  }
  return numbers;
}

/// How often each row occurs when these clusters are drawn.
std::vector<double> multiplicities(const std::vector<std::size_t>& cluster_of_row,
                                   const std::vector<std::size_t>& drawn) {
  std::vector<double> times(drawn.size());
  for (const std::size_t cluster : drawn) ++times[cluster];
  std::vector<double> weights;
  for (const std::size_t cluster : cluster_of_row) weights.push_back(times[cluster]);
  return weights;
}

std::size_t count_of(const std::vector<std::size_t>& cluster_of_row) {
  return 1 + *std::max_element(cluster_of_row.begin(), cluster_of_row.end());
}

// A relative decrease of 1e-8 leaves widths of intervals within 0.3 % of those at 1e-12.
constexpr Stopping kRefit{.relative_decrease = 1e-8, .iterations = 300};

constexpr std::uint16_t kNoiseSlot = 1;   // the stream of added noise, beside that of the draws
constexpr std::uint16_t kSecondSlot = 3;  // of draws from a draw
constexpr std::size_t kSecondDraws = 200;
constexpr double kHighestLevel = 0.9999;

/// Between the order statistics on both sides of number (n + 1) p, interpolated linearly.
double quantile_of(std::vector<double> values, double probability) {
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  const double position = std::clamp(probability * (last + 2) - 1, 0.0, last);  // from 0
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (position - std::floor(position)) * (values[above] - values[below]);
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
    std::vector<double> widened(residuals.size());
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      predicted[i] = objective.observed()[i] + residuals[i];
      widened[i] = residuals[i] * std::sqrt(n / std::max(n - q, 1.0));
      residuals[i] = widened[i] * std::sqrt(objective.weights()[i]);
    }
    median = median_magnitude(widened);
    deviation = 1.4826 * median_magnitude(residuals);  // of a normal sample with that median
  }

  std::vector<double> predicted;
  std::vector<double> residuals;  ///< times the roots of the weights, so of one size where noise has a variance ~ 1/w
  double median;                  ///< magnitude of the widened ones without weights
  double deviation;               ///< standard deviation of `residuals`
};

/// The observed values of one draw.
std::vector<double> drawn_observations(const Objective& objective, const FitNoise& noise,
                                       const std::vector<std::size_t>& cluster_of_row, const BootstrapOptions& options,
                                       std::uint32_t draw) {
  const std::size_t n = objective.size();
  const RandomStream normal{.seed = options.seed, .step = draw, .slot = kNoiseSlot};
  std::vector<double> observed(objective.observed().begin(), objective.observed().end());
  for (std::size_t i = 0; i < n; ++i) {
    const double weight = objective.weights()[i], own = weight > 0 ? 1 / std::sqrt(weight) : 0;  // 0: does not count
    if (options.resampling == Resampling::Residuals) {
      const std::size_t chosen = (std::uint64_t{random_bits({.seed = options.seed, .step = draw}, i)} * n) >> 32;
      observed[i] = noise.predicted[i] - own * noise.residuals[chosen];
    } else if (options.resampling == Resampling::Parametric) {
      const double deviation = options.noise > 0 ? options.noise : own * noise.deviation;
      observed[i] = noise.predicted[i] + deviation * normal_number(normal, cluster_of_row[i]);
    }
    if (options.resampling != Resampling::Parametric && options.noise > 0) {
      observed[i] += options.noise * normal_number(normal, cluster_of_row[i]);
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
      const auto drawn = drawn_numbers(count_of(cluster_of_row), {.seed = options.seed, .step = draw});
      resampled = resampled.reweighted(multiplicities(cluster_of_row, drawn));
    }
    const Minimum minimum = minimize(resampled, optimum, fixed, kRefit);
    const std::vector<double> natural = objective.law().to_natural(minimum.fitted);
    std::copy(natural.begin(), natural.end(), draws.begin() + static_cast<std::ptrdiff_t>(number * p));
  });
  return draws;
}

std::vector<double> leave_one_out(const Objective& objective, const std::vector<double>& optimum,
                                  const std::vector<bool>& fixed, std::span<const std::string> clusters, int threads) {
  const std::vector<std::size_t> cluster_of_row = number_clusters(clusters);
  const std::size_t runs = count_of(cluster_of_row), p = optimum.size();
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

std::vector<double> second_draws(const Objective& objective, const std::vector<double>& optimum,
                                 const std::vector<bool>& fixed, std::span<const std::string> clusters,
                                 std::span<const double> draws, const BootstrapOptions& options) {
  const std::vector<std::size_t> cluster_of_row = number_clusters(clusters);
  if (!(FitNoise(objective, optimum, fixed).median > objective.threshold())) return {};
  const std::size_t p = optimum.size(), runs = count_of(cluster_of_row);
  const std::size_t count = std::min(draws.size() / p, kSecondDraws);
  std::vector<double> second(count * p);
  parallel_for(count, options.threads, [&](std::size_t number) {
    const RandomStream stream{.seed = options.seed, .step = static_cast<std::uint32_t>(number)};
    const auto drawn = drawn_numbers(runs, stream);
    std::vector<std::size_t> again;
    for (const std::size_t k : drawn_numbers(runs, {stream.seed, stream.step, stream.layer, kSecondSlot})) {
      again.push_back(drawn[k]);
    }
    const Objective resampled = objective.reweighted(multiplicities(cluster_of_row, again));
    const std::vector<double> start = objective.law().to_fitted(draws.subspan(number * p, p));
    const std::vector<double> natural = objective.law().to_natural(minimize(resampled, start, fixed, kRefit).fitted);
    std::copy(natural.begin(), natural.end(), second.begin() + static_cast<std::ptrdiff_t>(number * p));
  });
  return second;
}

double calibrated_level(double level, double estimate, std::span<const double> first, std::span<const double> second) {
  BITLAW_CHECK(second.size() <= first.size(), "{} second draws of {}", second.size(), first.size());
  std::vector<double> near, far;  // first and second steps
  for (std::size_t k = 0; k < second.size(); ++k) {
    const double to_first = std::abs(first[k] - estimate), to_second = std::abs(second[k] - first[k]);
    if (!std::isfinite(to_first) || !std::isfinite(to_second)) continue;
    near.push_back(to_first);
    far.push_back(to_second);
  }
  if (near.empty()) return level;
  const double reached = quantile_of(near, level);
  const auto within = std::count_if(far.begin(), far.end(), [&](double step) { return step <= reached; });
  return std::min(static_cast<double>(within) / static_cast<double>(far.size()), kHighestLevel);
}

double expanded_level(double level, std::size_t runs, std::size_t parameters, double freedom) {
  BITLAW_CHECK(runs > parameters && freedom > 0, "{} runs, {} parameters, freedom {}", runs, parameters, freedom);
  const double t = student_quantile(freedom, (1 + level) / 2);
  const double shrunk = static_cast<double>(runs) / static_cast<double>(runs - parameters);
  return 1 - 2 * normal_cdf(-std::sqrt(shrunk) * t);
}

std::pair<double, double> percentile_interval(std::vector<double> values, double level) {
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) {
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  }
  return {quantile_of(values, (1 - level) / 2), quantile_of(values, (1 + level) / 2)};
}

}  // namespace bitlaw
