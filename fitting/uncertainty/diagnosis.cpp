#include "fitting/uncertainty/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

#include "core/base/distributions.h"

namespace bitlaw {
namespace {

constexpr double kFalseAlarm = 0.01;
constexpr std::size_t kFewestRuns = 10;  // below, ranks say little
constexpr std::size_t kFewestInGroup = 3;

/// Ranks from 1, ties sharing their mean.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first + 1;
    while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
    for (std::size_t k = first; k < last; ++k) result[order[k]] = static_cast<double>(first + last + 1) / 2;
    first = last;
  }
  return result;
}

/// Pearson's correlation; 0 where one side is constant.
double correlation(std::span<const double> x, std::span<const double> y) {
  const auto n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n,
               mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

/// Two-sided probability of a rank correlation at least as strong without any relation, by Student's t.
double probability(double r, std::size_t n) {
  const auto freedom = static_cast<double>(n - 2);
  const double t = std::abs(r) * std::sqrt(freedom / std::max(1 - r * r, 1e-300));
  return 2 * student_tail(freedom, t);
}

struct Column {
  std::string name;
  std::vector<double> values;
};

/// H = 12 / (n (n+1)) sum over groups of R^2 / n_g - 3 (n+1), R the sum of a group's ranks, over the groups that are
/// large enough; nothing when fewer than two are. Chi-square with one degree of freedom less than groups.
std::optional<ResidualTest> kruskal_wallis(const std::vector<std::string>& group_of,
                                           std::span<const double> residuals) {
  std::map<std::string_view, std::vector<double>> groups;
  for (std::size_t i = 0; i < group_of.size(); ++i) groups[group_of[i]].push_back(residuals[i]);
  std::erase_if(groups, [](const auto& group) { return group.second.size() < kFewestInGroup; });
  if (groups.size() < 2) return std::nullopt;
  std::vector<double> pooled;
  for (const auto& [name, values] : groups) pooled.insert(pooled.end(), values.begin(), values.end());
  const std::vector<double> rank = ranks(pooled);
  const auto n = static_cast<double>(pooled.size());
  double sum = 0;
  auto at = rank.begin();
  for (const auto& [name, values] : groups) {
    const auto end = at + static_cast<std::ptrdiff_t>(values.size());
    sum += std::pow(std::accumulate(at, end, 0.0), 2) / static_cast<double>(values.size());
    at = end;
  }
  const double h = 12 / (n * (n + 1)) * sum - 3 * (n + 1);
  const auto freedom = static_cast<double>(groups.size() - 1);
  return ResidualTest{"format", "groups", h, chi_squared_tail(freedom, std::max(h, 0.0))};
}

/// The inputs that vary, and D/N.
std::vector<Column> columns_of(const Law& law, const Observations& observations) {
  std::vector<Column> columns;
  std::size_t n_at = law.inputs().size(), d_at = n_at;
  for (std::size_t k = 0; k < law.inputs().size(); ++k) {
    if (law.inputs()[k] == "curve") continue;  // numbers schedules, in no order
    Column& column = columns.emplace_back(Column{std::string(law.inputs()[k]), {}});
    for (const auto& row : observations.inputs) column.values.push_back(row[k]);
    if (law.inputs()[k] == "N") n_at = k;
    if (law.inputs()[k] == "D") d_at = k;
  }
  if (n_at < law.inputs().size() && d_at < law.inputs().size()) {
    Column& ratio = columns.emplace_back(Column{"D/N", {}});
    for (const auto& row : observations.inputs) ratio.values.push_back(row[d_at] / row[n_at]);
  }
  std::erase_if(columns, [](const Column& column) {
    return std::all_of(column.values.begin(), column.values.end(),
                       [&](double value) { return value == column.values.front(); });
  });
  return columns;
}

}  // namespace

std::vector<ResidualTest> residual_tests(const Law& law, const Observations& observations,
                                         std::span<const double> residuals) {
  std::vector<ResidualTest> tests;
  if (residuals.size() < kFewestRuns) return tests;
  const std::vector<double> residual_ranks = ranks(residuals);
  for (const Column& column : columns_of(law, observations)) {
    std::vector<double> order = ranks(column.values);
    const double trend = correlation(order, residual_ranks);
    const double middle = static_cast<double>(order.size() + 1) / 2;
    for (double& rank : order) rank = std::abs(rank - middle);
    const double bend = correlation(ranks(order), residual_ranks);
    tests.push_back({column.name, "trend", trend, probability(trend, residuals.size())});
    tests.push_back({column.name, "bend", bend, probability(bend, residuals.size())});
  }
  if (const auto groups = kruskal_wallis(observations.format, residuals)) tests.push_back(*groups);
  return tests;
}

std::vector<std::string> residual_warnings(const std::vector<ResidualTest>& tests) {
  std::vector<std::string> warnings;
  const double limit = kFalseAlarm / static_cast<double>(tests.size());
  for (std::size_t i = 0; i < tests.size(); ++i) {
    const ResidualTest& test = tests[i];
    const bool weaker_of_two = std::any_of(tests.begin(), tests.end(), [&](const ResidualTest& other) {
      return &other != &test && other.against == test.against &&
             (other.probability < test.probability || (other.probability == test.probability && &other < &test));
    });
    if (!(test.probability < limit) || weaker_of_two) continue;
    if (test.pattern == "groups") {
      warnings.push_back(
          fmt::format("residuals differ between formats (Kruskal-Wallis H = {:.1f}, probability {:.1e} by chance): the "
                      "law's inputs do not say what distinguishes them; fit one law per format or one that knows more "
                      "of them",
                      test.statistic, test.probability));
      continue;
    }
    const bool bend = test.pattern == "bend", positive = test.statistic > 0;
    warnings.push_back(fmt::format(
        "residuals {} with {} (rank correlation {:.2f}, probability {:.1e} by chance): the data bend away from the "
        "law's form "
        "over this range; do not extrapolate in {}, narrow the range or compare other laws",
        bend
            ? (positive ? "are high at both ends and low in the middle" : "are low at both ends and high in the middle")
            : (positive ? "rise" : "fall"),
        test.against, test.statistic, test.probability, test.against));
  }
  return warnings;
}

std::vector<double> cook_distances(std::span<const double> residuals, std::span<const double> leverage,
                                   std::span<const double> weights, std::size_t q) {
  double squares = 0;
  for (std::size_t i = 0; i < residuals.size(); ++i) squares += weights[i] * residuals[i] * residuals[i];
  const double variance = squares / (static_cast<double>(residuals.size()) - static_cast<double>(q));
  std::vector<double> distances;
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    const double rest = 1 - leverage[i];
    distances.push_back(weights[i] * residuals[i] * residuals[i] / (static_cast<double>(q) * variance) * leverage[i] /
                        (rest * rest));
  }
  return distances;
}

std::vector<double> shifts_without_run(std::span<const double> estimates, std::span<const double> optimum,
                                       std::span<const double> errors) {
  const std::size_t p = optimum.size();
  std::vector<double> shifts;
  for (std::size_t at = 0; at < estimates.size(); ++at) {
    const double error = errors[at % p];
    shifts.push_back(error > 0 ? (estimates[at] - optimum[at % p]) / error : std::numeric_limits<double>::quiet_NaN());
  }
  return shifts;
}

std::vector<std::string> influence_warnings(const Law& law, std::span<const std::string> runs,
                                            std::span<const double> shifts) {
  constexpr std::size_t kMost = 3;
  struct Shift {
    std::size_t run, parameter;
    double size;  ///< in standard errors
  };
  std::vector<Shift> large;
  const std::size_t p = law.parameters().size();
  for (std::size_t g = 0; g < runs.size(); ++g) {
    Shift largest{g, 0, 0};
    for (std::size_t j = 0; j < p; ++j) {
      const double size = shifts[g * p + j];
      if (std::abs(size) > std::abs(largest.size)) largest = {g, j, size};
    }
    if (std::abs(largest.size) > 1) large.push_back(largest);
  }
  std::stable_sort(large.begin(), large.end(),
                   [](const Shift& a, const Shift& b) { return std::abs(a.size) > std::abs(b.size); });
  large.resize(std::min(large.size(), kMost));
  std::vector<std::string> warnings;
  for (const Shift& shift : large) {
    warnings.push_back(fmt::format(
        "without run {} {} moves by {:+.1f} standard errors, so the fit rests on that run; check or repeat it",
        runs[shift.run], law.parameters()[shift.parameter].name, shift.size));
  }
  return warnings;
}

}  // namespace bitlaw
