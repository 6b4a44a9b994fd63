#include "fitting/uncertainty/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

namespace bitlaw {
namespace {

constexpr double kFalseAlarm = 0.01;
constexpr std::size_t kFewestRuns = 10;  // below, ranks say little

/// Ranks from 1, ties sharing their mean.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t last = first;
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
  return 2 * cdf(complement(boost::math::students_t(freedom), t));
}

struct Column {
  std::string name;
  std::vector<double> values;
};

/// The inputs that vary, and D/N.
std::vector<Column> columns_of(const Law& law, const Observations& observations) {
  std::vector<Column> columns;
  std::size_t n_at = law.inputs().size(), d_at = n_at;
  for (std::size_t k = 0; k < law.inputs().size(); ++k) {
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

std::vector<std::string> residual_warnings(const Law& law, const Observations& observations,
                                           std::span<const double> residuals) {
  std::vector<std::string> warnings;
  if (residuals.size() < kFewestRuns) return warnings;
  const std::vector<Column> columns = columns_of(law, observations);
  const std::vector<double> residual_ranks = ranks(residuals);
  const double limit = kFalseAlarm / (2 * static_cast<double>(columns.size()));
  for (const Column& column : columns) {
    std::vector<double> order = ranks(column.values);
    const double trend = correlation(order, residual_ranks);
    const double middle = static_cast<double>(order.size() + 1) / 2;
    for (double& rank : order) rank = std::abs(rank - middle);
    const double bend = correlation(ranks(order), residual_ranks);
    const bool bends = probability(bend, residuals.size()) < probability(trend, residuals.size());
    const double strongest = bends ? bend : trend;
    if (probability(strongest, residuals.size()) >= limit) continue;
    warnings.push_back(fmt::format(
        "residuals {} with {} (rank correlation {:.2f}, probability {:.1e} by chance): the data bend away from the "
        "law's form "
        "over this range; do not extrapolate in {}, narrow the range or compare other laws",
        bends
            ? (bend > 0 ? "are high at both ends and low in the middle" : "are low at both ends and high in the middle")
            : (trend > 0 ? "rise" : "fall"),
        column.name, strongest, probability(strongest, residuals.size()), column.name));
  }
  return warnings;
}

std::vector<std::string> influence_warnings(const Law& law, std::span<const std::string> runs,
                                            std::span<const double> estimates, std::span<const double> optimum,
                                            std::span<const double> errors) {
  constexpr std::size_t kMost = 3;
  struct Shift {
    std::size_t run, parameter;
    double size;  ///< in standard errors
  };
  std::vector<Shift> shifts;
  const std::size_t p = optimum.size();
  for (std::size_t g = 0; g < runs.size(); ++g) {
    Shift largest{g, 0, 0};
    for (std::size_t j = 0; j < p; ++j) {
      const double size = (estimates[g * p + j] - optimum[j]) / errors[j];
      if (errors[j] > 0 && std::abs(size) > std::abs(largest.size)) largest = {g, j, size};
    }
    if (std::abs(largest.size) > 1) shifts.push_back(largest);
  }
  std::stable_sort(shifts.begin(), shifts.end(),
                   [](const Shift& a, const Shift& b) { return std::abs(a.size) > std::abs(b.size); });
  shifts.resize(std::min(shifts.size(), kMost));
  std::vector<std::string> warnings;
  for (const Shift& shift : shifts) {
    warnings.push_back(fmt::format(
        "without run {} {} moves by {:+.1f} standard errors, so the fit rests on that run; check or repeat it",
        runs[shift.run], law.parameters()[shift.parameter].name, shift.size));
  }
  return warnings;
}

}  // namespace bitlaw
