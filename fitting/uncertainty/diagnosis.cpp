#include "fitting/uncertainty/diagnosis.h"

#include <fmt/format.h>

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

#include "core/base/distributions.h"
#include "fitting/fit/all_finite.h"

namespace bitlaw {
namespace {

constexpr double kFalseAlarm = 0.01;
constexpr std::size_t kFewestRuns = 10;  // below, ranks say little
constexpr std::size_t kFewestInGroup = 3;
constexpr std::size_t kFewestCurves = 3;  // runs whose rows a column distinguishes
const std::string kWithinRuns = " within runs";

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

bool is_constant(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [&](double value) { return value == values.front(); });
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
  std::erase_if(columns, [](const Column& column) { return is_constant(column.values); });
  return columns;
}

using Rows = std::vector<std::size_t>;

/// The rows of each run, in the order of their first; without clusters each row is one.
std::vector<Rows> runs_of(const Observations& observations, std::size_t rows) {
  std::map<std::string_view, std::size_t> numbers;
  std::vector<Rows> runs;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t number =
        observations.cluster.empty() ? i : numbers.try_emplace(observations.cluster[i], runs.size()).first->second;
    if (number == runs.size()) runs.emplace_back();
    runs[number].push_back(i);
  }
  return runs;
}

std::vector<double> values_at(std::span<const double> values, const Rows& rows) {
  std::vector<double> chosen;
  for (const std::size_t row : rows) chosen.push_back(values[row]);
  return chosen;
}

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> means_of(std::span<const double> values, const std::vector<Rows>& runs) {
  std::vector<double> means;
  for (const Rows& rows : runs) means.push_back(mean_of(values_at(values, rows)));
  return means;
}

/// What a pattern expects of residuals that follow a column.
using Scores = std::vector<double> (*)(std::span<const double>);

/// The distance of each rank from their middle.
std::vector<double> middle_distances(std::span<const double> values) {
  std::vector<double> rank = ranks(values);
  const double middle = static_cast<double>(rank.size() + 1) / 2;
  for (double& r : rank) r = std::abs(r - middle);
  return rank;
}

constexpr std::pair<std::string_view, Scores> kPatterns[]{{"trend", ranks}, {"bend", middle_distances}};

/// Between runs: the rank correlation of their means. A column's mean is that of its ranks among all rows.
void test_between(std::vector<ResidualTest>& tests, const Column& column, std::span<const double> residuals,
                  const std::vector<Rows>& runs) {
  const std::vector<double> means = means_of(ranks(column.values), runs);
  if (runs.size() < kFewestRuns || is_constant(means)) return;
  const std::vector<double> residual_ranks = ranks(means_of(residuals, runs));
  for (const auto& [pattern, scores] : kPatterns) {
    const double r = correlation(ranks(scores(means)), residual_ranks);
    tests.push_back({column.name, std::string(pattern), r, probability(r, runs.size())});
  }
}

/// The residuals [n] less their runs' means and less what other parameters would explain of the rest: the fit follows
/// noise that runs share, and what it is then off by along each of them is no fault of the law.
std::vector<double> unexplained_within(std::span<const double> residuals, std::span<const double> jacobian,
                                       const std::vector<Rows>& runs) {
  constexpr double kRounding = 1e-10;
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto n = static_cast<Eigen::Index>(residuals.size());
  const Eigen::Map<const Matrix> whole(jacobian.data(), n, static_cast<Eigen::Index>(jacobian.size()) / n);
  Matrix along = whole;
  Eigen::VectorXd rest = Eigen::Map<const Eigen::VectorXd>(residuals.data(), n);
  for (const Rows& rows : runs) {
    const Eigen::RowVectorXd means = along(rows, Eigen::all).colwise().mean();
    const double level = rest(rows).mean();
    for (const std::size_t row : rows) {
      along.row(static_cast<Eigen::Index>(row)) -= means;
      rest(static_cast<Eigen::Index>(row)) -= level;
    }
  }
  std::vector<Eigen::Index> varying;  // the other parameters shift whole runs, but for rounding
  for (Eigen::Index j = 0; j < along.cols(); ++j) {
    const double norm = along.col(j).norm();
    if (!(norm > kRounding * whole.col(j).norm())) continue;
    along.col(j) /= norm;
    varying.push_back(j);
  }
  if (!varying.empty()) {
    const Matrix columns = along(Eigen::all, varying);
    rest -= columns * columns.colPivHouseholderQr().solve(rest);
  }
  return {rest.begin(), rest.end()};
}

/// Within runs, of residuals that unexplained_within() leaves: of each run their inner product with the centred scores
/// of its rows, which one normal number makes of its noise, correlated or not; their mean is tested by Student's t,
/// which for unequal variances errs on the safe side (Ibragimov & Müller 2010, doi 10.1198/jbes.2009.08046).
void test_within(std::vector<ResidualTest>& tests, const Column& column, std::span<const double> residuals,
                 const std::vector<Rows>& runs) {
  for (const auto& [pattern, scores] : kPatterns) {
    std::vector<double> products;
    double squares = 0;
    for (const Rows& rows : runs) {
      std::vector<double> score = scores(values_at(column.values, rows)), residual = values_at(residuals, rows);
      if (is_constant(score)) continue;
      const double middle = mean_of(score);
      double norm = 0, product = 0;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        norm += std::pow(score[i] - middle, 2);
        product += (score[i] - middle) * residual[i];
        squares += std::pow(residual[i], 2);
      }
      products.push_back(product / std::sqrt(norm));
    }
    if (products.size() < kFewestCurves) continue;
    const auto n = static_cast<double>(products.size());
    const double mean = mean_of(products);
    double spread = 0;
    for (const double product : products) spread += std::pow(product - mean, 2);
    const double t = mean / std::sqrt(std::max(spread / (n - 1) / n, 1e-300));
    // Of residuals and scores over all these runs, each run's scores of norm 1.
    const double r = squares > 0 ? mean * n / std::sqrt(n * squares) : 0;
    tests.push_back({column.name, std::string(pattern) + kWithinRuns, r, 2 * student_tail(n - 1, std::abs(t))});
  }
}

/// Formats are compared by the mean residuals of each run's rows in them.
std::optional<ResidualTest> test_formats(const Observations& observations, std::span<const double> residuals,
                                         const std::vector<Rows>& runs) {
  if (observations.format.empty()) return std::nullopt;
  std::vector<std::string> formats;
  std::vector<double> means;
  for (const Rows& rows : runs) {
    std::map<std::string_view, std::vector<double>> of_format;
    for (const std::size_t row : rows) of_format[observations.format[row]].push_back(residuals[row]);
    for (const auto& [format, values] : of_format) {
      formats.emplace_back(format);
      means.push_back(mean_of(values));
    }
  }
  return kruskal_wallis(formats, means);
}

}  // namespace

std::vector<ResidualTest> residual_tests(const Law& law, const Observations& observations,
                                         std::span<const double> residuals, std::span<const double> jacobian) {
  std::vector<ResidualTest> tests;
  if (residuals.size() < kFewestRuns) return tests;
  const std::vector<Rows> runs = runs_of(observations, residuals.size());
  std::vector<double> within;
  const bool known = !jacobian.empty() && all_finite(jacobian);
  if (runs.size() < residuals.size() && known) within = unexplained_within(residuals, jacobian, runs);
  for (const Column& column : columns_of(law, observations)) {
    test_between(tests, column, residuals, runs);
    if (!within.empty()) test_within(tests, column, within, runs);
  }
  if (const auto groups = test_formats(observations, residuals, runs)) tests.push_back(*groups);
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
    const bool bend = test.pattern.starts_with("bend"), positive = test.statistic > 0;
    warnings.push_back(fmt::format(
        "residuals {} with {}{} (rank correlation {:.2f}, probability {:.1e} by chance): the data bend away from the "
        "law's form "
        "over this range; do not extrapolate in {}, narrow the range or compare other laws",
        bend
            ? (positive ? "are high at both ends and low in the middle" : "are low at both ends and high in the middle")
            : (positive ? "rise" : "fall"),
        test.against, test.pattern.ends_with(kWithinRuns) ? kWithinRuns : "", test.statistic, test.probability,
        test.against));
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
