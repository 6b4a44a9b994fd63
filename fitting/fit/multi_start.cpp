#include "fitting/fit/multi_start.h"

#include <algorithm>
#include <array>
#include <boost/math/tools/minima.hpp>
#include <boost/random/sobol.hpp>
#include <cmath>
#include <map>

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/parallel_for.h"
#include "fitting/fit/projection.h"

namespace bitlaw {
namespace {

constexpr double kAgreement = 1e-6;               // relative difference of costs
constexpr std::size_t kLargestGrid = 200'000;     // points; beyond, quasi-random ones
constexpr std::array kHalvingIterations{10, 30};  // before each halving

struct Candidate {
  double cost;
  std::vector<double> fitted;
};

/// [parameter][choice], fitted coordinates; fixed and affine parameters have one.
std::vector<std::vector<double>> grid_axes(const Law& law, const std::vector<bool>& fixed,
                                           const std::vector<double>& values, const std::vector<std::size_t>& affine) {
  std::vector<std::vector<double>> axes;
  for (std::size_t j = 0; j < law.parameters().size(); ++j) {
    std::vector<double> axis;
    for (const double start : law.parameters()[j].starts) axis.push_back(to_fitted(law.parameters()[j], start));
    axes.push_back(fixed[j] ? std::vector<double>{values[j]} : std::move(axis));
  }
  for (const std::size_t j : affine) axes[j].resize(1);
  return axes;
}

std::size_t count_points(const std::vector<std::vector<double>>& axes) {
  double count = 1;
  for (const auto& axis : axes) count *= static_cast<double>(axis.size());
  return static_cast<std::size_t>(std::min(count, 1e18));
}

void sort_by_cost(std::vector<Candidate>& candidates) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.cost < b.cost; });
}

/// The best candidates of the full grid, cheapest first, at most one for each combination of exponents.
std::vector<Candidate> screen_grid(const Objective& objective, const std::vector<std::vector<double>>& axes,
                                   std::size_t points) {
  const std::vector<LawParameter>& parameters = objective.law().parameters();
  std::map<std::size_t, Candidate> best;  // by the number of the combination of exponents
  std::vector<double> fitted(axes.size());
  for (std::size_t point = 0; point < points; ++point) {
    std::size_t rest = point, exponents = 0;
    for (std::size_t j = 0; j < axes.size(); ++j) {
      const std::size_t choice = rest % axes[j].size();
      rest /= axes[j].size();
      fitted[j] = axes[j][choice];
      if (parameters[j].transform == Transform::Identity) exponents = exponents * axes[j].size() + choice;
    }
    const double cost = objective.cost(fitted);
    const auto known = best.find(exponents);
    if (std::isfinite(cost) && (known == best.end() || cost < known->second.cost)) {
      best.insert_or_assign(exponents, Candidate{cost, fitted});
    }
  }
  std::vector<Candidate> candidates;
  for (auto& [exponents, candidate] : best) candidates.push_back(std::move(candidate));
  return candidates;
}

/// Quasi-random points of the box around the axes, [points][p].
std::vector<std::vector<double>> sobol_box(const std::vector<std::vector<double>>& axes, int points) {
  boost::random::sobol engine(axes.size());
  std::vector<std::vector<double>> box(static_cast<std::size_t>(points), std::vector<double>(axes.size()));
  for (auto& point : box) {
    for (std::size_t j = 0; j < axes.size(); ++j) {
      const double share = static_cast<double>(engine()) / static_cast<double>(boost::random::sobol::max());
      const auto [low, high] = std::minmax_element(axes[j].begin(), axes[j].end());
      point[j] = *low + share * (*high - *low);
    }
  }
  return box;
}

/// Every point of the grid, [points][p].
std::vector<std::vector<double>> grid_points(const std::vector<std::vector<double>>& axes, std::size_t points) {
  std::vector<std::vector<double>> grid(points, std::vector<double>(axes.size()));
  for (std::size_t point = 0; point < points; ++point) {
    std::size_t rest = point;
    for (std::size_t j = 0; j < axes.size(); ++j) {
      grid[point][j] = axes[j][rest % axes[j].size()];
      rest /= axes[j].size();
    }
  }
  return grid;
}

std::vector<Candidate> screen_points(const Objective& objective, std::vector<std::vector<double>> points,
                                     const std::vector<std::size_t>& affine) {
  std::vector<Candidate> candidates;
  for (std::vector<double>& point : points) {
    std::vector<double> fitted = affine.empty() ? std::move(point) : solve_affine(objective, std::move(point), affine);
    const double cost = objective.cost(fitted);
    if (std::isfinite(cost)) candidates.push_back({cost, std::move(fitted)});
  }
  return candidates;
}

std::vector<Candidate> screen(const Objective& objective, const std::vector<bool>& fixed,
                              const std::vector<double>& values, const SearchOptions& options, std::size_t& screened) {
  const Law& law = objective.law();
  const bool solve = options.search != Search::Grid;
  const auto affine = solve ? affine_parameters(law, fixed) : std::vector<std::size_t>{};
  const auto axes = grid_axes(law, fixed, values, affine);
  const std::size_t points = count_points(axes);
  const bool sobol = options.search == Search::Sobol || (options.search == Search::Automatic && points > kLargestGrid);
  screened = sobol ? static_cast<std::size_t>(options.sobol_points) : points;
  std::vector<Candidate> candidates;
  if (sobol) {
    candidates = screen_points(objective, sobol_box(axes, options.sobol_points), affine);
  } else if (affine.empty()) {
    candidates = screen_grid(objective, axes, points);
  } else {
    candidates = screen_points(objective, grid_points(axes, points), affine);
  }
  sort_by_cost(candidates);
  candidates.resize(std::min(candidates.size(), static_cast<std::size_t>(options.keep)));
  return candidates;
}

void halve(const Objective& objective, std::vector<Candidate>& candidates, const std::vector<bool>& fixed,
           int threads) {
  for (const int iterations : kHalvingIterations) {
    if (candidates.size() < 4) return;
    parallel_for(candidates.size(), threads, [&](std::size_t i) {
      const Minimum minimum =
          minimize(objective, candidates[i].fitted, fixed, {.relative_decrease = 1e-6, .iterations = iterations});
      candidates[i] = {minimum.cost, minimum.fitted};
    });
    sort_by_cost(candidates);
    candidates.resize(candidates.size() / 2);
  }
}

}  // namespace

MultiStart multi_start(const Objective& objective, const std::vector<bool>& fixed, const std::vector<double>& values,
                       const SearchOptions& options) {
  BITLAW_CHECK(options.keep > 0, "keep {}", options.keep);
  MultiStart result;
  std::vector<Candidate> candidates = screen(objective, fixed, values, options, result.screened);
  if (candidates.empty()) {
    result.best.cost = kInfinity;
    return result;
  }
  if (options.halving) halve(objective, candidates, fixed, options.threads);

  std::vector<Minimum> minima(candidates.size());
  parallel_for(candidates.size(), options.threads, [&](std::size_t i) {
    minima[i] = minimize(objective, candidates[i].fitted, fixed, {.relative_decrease = 1e-9, .iterations = 300});
  });
  const auto best = std::min_element(minima.begin(), minima.end(),
                                     [](const Minimum& a, const Minimum& b) { return a.cost < b.cost; });
  result.best = polish(objective, minimize(objective, best->fitted, fixed), fixed);
  result.refined = static_cast<int>(minima.size());
  for (const Minimum& minimum : minima) {
    if (minimum.cost <= result.best.cost + kAgreement * std::abs(result.best.cost)) ++result.agreeing;
  }
  return result;
}

ScaledMinimum minimize_with_scale(const Objective& objective, const std::vector<double>& start,
                                  const std::vector<bool>& fixed) {
  BITLAW_CHECK(has_scale(objective.spec().loss), "loss {}", static_cast<int>(objective.spec().loss));
  std::vector<double> residual(objective.size());
  objective.residuals(start, residual, {});
  for (double& r : residual) r = std::abs(r);
  std::nth_element(residual.begin(), residual.begin() + static_cast<std::ptrdiff_t>(residual.size() / 2),
                   residual.end());
  const double median = std::max(residual[residual.size() / 2], 1e-12);
  // A Huber density with a small delta is nearly exp(-delta |z|), whose scale is delta times the mean residual.
  const bool huber_like = objective.spec().loss == Loss::HuberLikelihood;
  const double first = median * (huber_like ? std::min(1.0, objective.spec().delta) : 1.0);

  ScaledMinimum best;
  best.minimum.fitted = start;
  best.minimum.cost = kInfinity;
  const auto cost_at = [&](double log_scale) {
    const Objective scaled = objective.with_scale(std::exp(log_scale));
    Minimum minimum = minimize(scaled, best.minimum.fitted, fixed);
    const double cost = minimum.cost;
    if (cost < best.minimum.cost) best = {std::move(minimum), std::exp(log_scale)};
    return cost;
  };
  constexpr double kFarthest = 4;  // in log s, of the optimum from the median's estimate
  boost::uintmax_t evaluations = 60;
  boost::math::tools::brent_find_minima(cost_at, std::log(first) - kFarthest, std::log(first) + kFarthest, 26,
                                        evaluations);
  return best;
}

}  // namespace bitlaw
