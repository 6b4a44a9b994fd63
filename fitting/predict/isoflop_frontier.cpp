#include "fitting/predict/isoflop_frontier.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "core/base/distributions.h"
#include "core/base/error.h"
#include "fitting/uncertainty/bootstrap.h"
#include "fitting/uncertainty/normal_number.h"

namespace bitlaw {
namespace {

constexpr std::size_t kSizes = 3;  // a minimum between two others
constexpr std::uint16_t kSeedNoiseSlot = 21;

using Runs = std::vector<IsoflopRun>;

/// By compute, within a share of the first of each.
std::vector<Runs> runs_by_budget(std::span<const IsoflopRun> runs, double same) {
  Runs sorted(runs.begin(), runs.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const IsoflopRun& a, const IsoflopRun& b) { return a.compute < b.compute; });
  std::vector<Runs> budgets;
  for (const IsoflopRun& run : sorted) {
    if (budgets.empty() || run.compute > budgets.back().front().compute * (1 + same)) budgets.emplace_back();
    budgets.back().push_back(run);
  }
  return budgets;
}

IsoflopOptimum optimum_of(const Runs& runs, IsoflopCurve curve) {
  std::vector<double> params, loss;
  for (const IsoflopRun& run : runs) {
    params.push_back(run.params);
    loss.push_back(run.loss);
  }
  return curve == IsoflopCurve::Akima ? isoflop_optimum(params, loss) : parabola_optimum(params, loss);
}

/// D at N, a straight line between the neighbours in logarithms, continued beyond the ends.
double tokens_at(const Runs& runs, double params) {
  std::map<double, double> tokens;  // log D by log N
  for (const IsoflopRun& run : runs) {
    tokens[std::log(run.params)] = std::log(std::isnan(run.tokens) ? run.compute / (6 * run.params) : run.tokens);
  }
  const double x = std::log(params);
  auto right = tokens.lower_bound(x);
  if (right == tokens.begin()) ++right;
  if (right == tokens.end()) --right;
  const auto left = std::prev(right);
  const double share = (x - left->first) / (right->first - left->first);
  return std::exp(left->second + share * (right->second - left->second));
}

struct FittedLine {
  double intercept, slope, error;  ///< standard error of the slope; NaN through two points
};

FittedLine line_through(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double mean_x = 0, mean_y = 0, xx = 0, xy = 0, squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / n;
    mean_y += y[i] / n;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  const double slope = xy / xx, intercept = mean_y - slope * mean_x;
  for (std::size_t i = 0; i < x.size(); ++i) squares += std::pow(y[i] - intercept - slope * x[i], 2);
  return {intercept, slope, x.size() > 2 ? std::sqrt(squares / (n - 2) / xx) : kNan};
}

ComputeLaw law_of(const std::vector<double>& log_compute, const std::vector<double>& log_optimum, double level) {
  const FittedLine line = line_through(log_compute, log_optimum);
  ComputeLaw law{.coefficient = std::exp(line.intercept), .exponent = line.slope};
  if (std::isnan(line.error)) return law;
  const double t = student_quantile(static_cast<double>(log_compute.size()) - 2, (1 + level) / 2);
  law.ci_low = line.slope - t * line.error;
  law.ci_high = line.slope + t * line.error;
  return law;
}

/// Adds the intervals over draws of seed noise. `runs` [budgets]: of the budgets that the laws go through, `chosen`.
void add_noise_intervals(IsoflopFrontier& frontier, const std::vector<Runs>& runs,
                         const std::vector<std::size_t>& chosen, const std::vector<double>& log_compute,
                         const IsoflopOptions& options) {
  std::vector<std::vector<double>> params(chosen.size());
  std::vector<double> size_exponents, token_exponents;
  for (int draw = 0; draw < options.draws; ++draw) {
    const RandomStream stream{.seed = options.seed, .step = static_cast<std::uint32_t>(draw), .slot = kSeedNoiseSlot};
    std::vector<double> log_params, log_tokens;
    std::size_t number = 0;
    for (std::size_t k = 0; k < chosen.size(); ++k) {
      Runs noisy = runs[chosen[k]];
      for (IsoflopRun& run : noisy) run.loss *= std::exp(options.seed_noise * normal_number(stream, number++));
      const double best = optimum_of(noisy, options.curve).params;
      params[k].push_back(best);
      log_params.push_back(std::log(best));
      log_tokens.push_back(std::log(tokens_at(noisy, best)));
    }
    size_exponents.push_back(line_through(log_compute, log_params).slope);
    token_exponents.push_back(line_through(log_compute, log_tokens).slope);
  }
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    IsoflopBudget& budget = frontier.budgets[chosen[k]];
    std::tie(budget.params_low, budget.params_high) = percentile_interval(params[k], options.level);
  }
  std::tie(frontier.params.boot_low, frontier.params.boot_high) =
      percentile_interval(std::move(size_exponents), options.level);
  std::tie(frontier.tokens.boot_low, frontier.tokens.boot_high) =
      percentile_interval(std::move(token_exponents), options.level);
}

/// Of one budget; a warning where it does not show an optimum.
IsoflopBudget budget_of(const Runs& runs, IsoflopCurve curve, std::vector<std::string>& warnings) {
  IsoflopBudget budget{.runs = runs.size()};
  std::set<double> sizes;
  double log_compute = 0;
  for (const IsoflopRun& run : runs) {
    sizes.insert(run.params);
    log_compute += std::log(run.compute) / static_cast<double>(runs.size());
  }
  budget.compute = std::exp(log_compute);
  budget.sizes = sizes.size();
  if (budget.sizes < kSizes) {
    warnings.push_back(
        fmt::format("the budget of {:.4g} FLOP has {} model sizes, too few to show which is best, so it is left out; "
                    "train {} more",
                    budget.compute, budget.sizes, kSizes - budget.sizes));
    return budget;
  }
  budget.optimum = optimum_of(runs, curve);
  budget.tokens = tokens_at(runs, budget.optimum.params);
  if (!budget.optimum.inside) {
    const bool smallest = budget.optimum.params < std::sqrt(*sizes.begin() * *sizes.rbegin());
    warnings.push_back(fmt::format(
        "the budget of {:.4g} FLOP has its optimum at the {} model, {:.4g} parameters, so it was not reached and is "
        "left "
        "out of the laws; train a {} one",
        budget.compute, smallest ? "smallest" : "largest", budget.optimum.params, smallest ? "smaller" : "larger"));
  }
  return budget;
}

}  // namespace

IsoflopOptimum parabola_optimum(std::span<const double> params, std::span<const double> loss) {
  const auto n = static_cast<Eigen::Index>(params.size());
  const auto [smallest, largest] = std::minmax_element(params.begin(), params.end());
  const double middle = (std::log(*smallest) + std::log(*largest)) / 2;
  Eigen::MatrixXd powers(n, 3);
  for (Eigen::Index i = 0; i < n; ++i) {
    const double x = std::log(params[static_cast<std::size_t>(i)]) - middle;
    powers.row(i) << 1, x, x * x;
  }
  const Eigen::Vector3d c = powers.colPivHouseholderQr().solve(Eigen::Map<const Eigen::VectorXd>(loss.data(), n));
  const auto at = [&](double x) { return c(0) + x * (c(1) + x * c(2)); };
  const double half = (std::log(*largest) - std::log(*smallest)) / 2, vertex = -c(1) / (2 * c(2));
  if (c(2) > 0 && std::abs(vertex) < half) return {std::exp(middle + vertex), at(vertex), true};
  return at(-half) < at(half) ? IsoflopOptimum{*smallest, at(-half), false} : IsoflopOptimum{*largest, at(half), false};
}

IsoflopFrontier isoflop_frontier(std::span<const IsoflopRun> runs, const IsoflopOptions& options) {
  IsoflopFrontier frontier;
  std::vector<Runs> kept;
  for (Runs& own : runs_by_budget(runs, options.same)) {
    const IsoflopBudget budget = budget_of(own, options.curve, frontier.warnings);
    if (budget.sizes < kSizes) continue;
    frontier.budgets.push_back(budget);
    kept.push_back(std::move(own));
  }
  std::vector<std::size_t> chosen;
  std::vector<double> log_compute, log_params, log_tokens;
  for (std::size_t i = 0; i < frontier.budgets.size(); ++i) {
    const IsoflopBudget& budget = frontier.budgets[i];
    if (!budget.optimum.inside) continue;
    chosen.push_back(i);
    log_compute.push_back(std::log(budget.compute));
    log_params.push_back(std::log(budget.optimum.params));
    log_tokens.push_back(std::log(budget.tokens));
  }
  if (chosen.size() < 2) {
    throw InputError(
        fmt::format("{} runs: {} of them show the best size inside their sizes, and a law needs two such budgets; {}",
                    runs.size(), chosen.empty() ? "no budget" : "one budget",
                    frontier.warnings.empty() ? "add runs of another budget" : frontier.warnings.front()));
  }
  frontier.params = law_of(log_compute, log_params, options.level);
  frontier.tokens = law_of(log_compute, log_tokens, options.level);
  if (options.seed_noise > 0) add_noise_intervals(frontier, kept, chosen, log_compute, options);
  return frontier;
}

}  // namespace bitlaw
