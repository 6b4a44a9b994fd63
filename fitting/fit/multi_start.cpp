#include "fitting/fit/multi_start.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/check.h"
#include "fitting/fit/parallel_for.h"

namespace bitlaw {
namespace {

constexpr double kAgreement = 1e-6;  // relative difference of costs

struct Candidate {
  double cost;
  std::vector<double> fitted;
};

/// [parameter][choice], fitted coordinates.
std::vector<std::vector<double>> grid_axes(const Law& law, const std::vector<bool>& fixed,
                                           const std::vector<double>& values) {
  std::vector<std::vector<double>> axes;
  for (std::size_t j = 0; j < law.parameters().size(); ++j) {
    std::vector<double> axis;
    for (const double start : law.parameters()[j].starts) axis.push_back(to_fitted(law.parameters()[j], start));
    axes.push_back(fixed[j] ? std::vector<double>{values[j]} : std::move(axis));
  }
  return axes;
}

/// The best candidates of a grid, cheapest first, at most one for each combination of exponents.
std::vector<Candidate> screen(const HuberObjective& objective, const std::vector<std::vector<double>>& axes,
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
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.cost < b.cost; });
  return candidates;
}

}  // namespace

MultiStart multi_start(const HuberObjective& objective, const std::vector<bool>& fixed,
                       const std::vector<double>& values, int keep, int threads) {
  BITLAW_CHECK(keep > 0, "keep {}", keep);
  const auto axes = grid_axes(objective.law(), fixed, values);
  MultiStart result;
  result.screened = 1;
  for (const auto& axis : axes) result.screened *= axis.size();
  std::vector<Candidate> candidates = screen(objective, axes, result.screened);
  candidates.resize(std::min(candidates.size(), static_cast<std::size_t>(keep)));

  std::vector<Minimum> minima(candidates.size());
  parallel_for(candidates.size(), threads, [&](std::size_t i) {
    minima[i] = minimize(objective, candidates[i].fitted, fixed, {.relative_decrease = 1e-9, .iterations = 300});
  });
  BITLAW_CHECK(!minima.empty(), "law {}: the objective is finite nowhere on the start grid", objective.law().name());
  const auto best = std::min_element(minima.begin(), minima.end(),
                                     [](const Minimum& a, const Minimum& b) { return a.cost < b.cost; });
  result.best = minimize(objective, best->fitted, fixed);
  result.refined = static_cast<int>(minima.size());
  for (const Minimum& minimum : minima) {
    if (minimum.cost <= result.best.cost * (1 + kAgreement)) ++result.agreeing;
  }
  return result;
}

}  // namespace bitlaw
