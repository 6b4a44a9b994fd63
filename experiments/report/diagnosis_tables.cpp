#include "experiments/report/diagnosis_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "experiments/report/numbers.h"

namespace bitlaw {
namespace {

constexpr std::size_t kMost = 5;     // rows of a table
constexpr double kNamed = 0.1;       // loading from which a parameter is named
constexpr double kUndecided = 1e-2;  // singular value, over the largest, below which a direction is shown

/// The numbers of the largest `kMost` values, largest first; not of NaN.
std::vector<std::size_t> largest(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::erase_if(order, [&](std::size_t i) { return std::isnan(values[i]); });
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  order.resize(std::min(order.size(), kMost));
  return order;
}

Table direction_table(const FitRecord& fit) {
  const FitDiagnosis& d = fit.diagnosis;
  Table table{.title = "Directions that the data decide least",
              .header = {"singular value", "combination (fitted coordinates, scaled)"},
              .rows = {},
              .notes = {}};
  const std::size_t p = fit.parameters.size();
  for (std::size_t k = d.singular_values.size(); k-- > 0;) {
    if (d.singular_values[k] >= kUndecided) break;
    std::vector<std::string> terms;
    for (std::size_t j = 0; j < p; ++j) {
      const double loading = d.directions[k * p + j];
      if (std::abs(loading) > kNamed) terms.push_back(fmt::format("{:+.2f} {}", loading, fit.parameters[j].name));
    }
    table.rows.push_back({format_value(d.singular_values[k], 2), fmt::format("{}", fmt::join(terms, " "))});
  }
  return table;
}

Table influence_table(const FitRecord& fit) {
  Table table{.title = "Observations of largest influence",
              .header = {"observation", "Cook's distance", "leverage", "observed", "predicted"},
              .rows = {},
              .notes = {}};
  for (const std::size_t i : largest(fit.diagnosis.cook)) {
    table.rows.push_back({fit.run_ids[i], format_value(fit.diagnosis.cook[i], 3),
                          format_value(fit.diagnosis.leverage[i], 2), format_value(fit.observed[i]),
                          format_value(fit.predicted[i])});
  }
  return table;
}

Table residual_table(const FitRecord& fit) {
  Table table{.title = "Patterns in the residuals",
              .header = {"against", "pattern", "statistic", "probability by chance"},
              .rows = {},
              .notes = {}};
  for (const ResidualTest& test : fit.diagnosis.residual_tests) {
    table.rows.push_back(
        {test.against, test.pattern, format_value(test.statistic, 2), format_value(test.probability, 2)});
  }
  return table;
}

Table shift_table(const FitRecord& fit) {
  const FitDiagnosis& d = fit.diagnosis;
  Table table{
      .title = "Estimates without one run, moved by standard errors", .header = {"run"}, .rows = {}, .notes = {}};
  for (const FittedParameter& p : fit.parameters) table.header.push_back(p.name);
  const std::size_t p = fit.parameters.size();
  std::vector<double> most(d.left_out.size());
  for (std::size_t g = 0; g < d.left_out.size(); ++g) {
    for (std::size_t j = 0; j < p; ++j) most[g] = std::fmax(most[g], std::abs(d.shifts[g * p + j]));
  }
  for (const std::size_t g : largest(most)) {
    std::vector<std::string>& row = table.rows.emplace_back(std::vector{d.left_out[g]});
    for (std::size_t j = 0; j < p; ++j) row.push_back(format_value(d.shifts[g * p + j], 2));
  }
  return table;
}

}  // namespace

std::vector<Table> diagnosis_tables(const FitRecord& fit) {
  std::vector<Table> tables{direction_table(fit), influence_table(fit), residual_table(fit), shift_table(fit)};
  std::erase_if(tables, [](const Table& table) { return table.rows.empty(); });
  return tables;
}

}  // namespace bitlaw
