#include "fitting/uncertainty/identifiability.h"

#include <fmt/format.h>

#include <fmt/ranges.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <optional>

namespace bitlaw {
namespace {

constexpr double kSameValue = 0.01;  // relative: token counts are rounded to whole batches
constexpr double kOnLine = 0.02;     // largest deviation of log D from a line in log N that still counts as on it
constexpr double kIllConditioned = 1e4;

std::optional<std::size_t> input_index(const Law& law, std::string_view input) {
  const auto& inputs = law.inputs();
  const auto found = std::find(inputs.begin(), inputs.end(), input);
  if (found == inputs.end()) return std::nullopt;
  return static_cast<std::size_t>(found - inputs.begin());
}

bool is_quantized(const Law& law, const std::vector<double>& inputs) {
  for (const std::string_view block : {"G", "B"}) {
    if (const auto at = input_index(law, block)) return inputs[*at] > 1;
  }
  return false;
}

/// The different values of an input over all or only the quantized observations, ascending.
std::vector<double> distinct_values(const Law& law, const Observations& observations, const DesignNeed& need) {
  std::vector<double> values;
  for (const auto& inputs : observations.inputs) {
    if (!need.quantized_only || is_quantized(law, inputs)) values.push_back(inputs[*input_index(law, need.input)]);
  }
  std::sort(values.begin(), values.end());
  const auto same = [](double kept, double next) { return next <= kept * (1 + kSameValue); };
  values.erase(std::unique(values.begin(), values.end(), same), values.end());
  return values;
}

bool mentions(std::string_view list, std::string_view name) {
  return fmt::format(", {},", list).find(fmt::format(" {},", name)) != std::string::npos;
}

/// The parameters of a need by what the fit does with them.
struct Unknowns {
  std::vector<std::string_view> free;
  int held = 0;
};

Unknowns unknowns_of(const Law& law, const DesignNeed& need, const std::vector<bool>& free) {
  Unknowns unknowns;
  for (std::size_t j = 0; j < free.size(); ++j) {
    const std::string_view name = law.parameters()[j].name;
    if (!mentions(need.parameters, name)) continue;
    if (free[j]) unknowns.free.push_back(name);
    if (!free[j]) ++unknowns.held;
  }
  return unknowns;
}

std::string describe(const DesignNeed& need, const Unknowns& unknowns, const std::vector<double>& values) {
  return fmt::format("{} takes only {} value{} in {} runs ({:.5g}), and {} need{} {}: {}; {}", need.input,
                     values.size(), values.size() == 1 ? "" : "s", need.quantized_only ? "the quantized" : "all",
                     fmt::join(values, ", "), fmt::join(unknowns.free, ", "), unknowns.free.size() == 1 ? "s" : "",
                     need.distinct - unknowns.held,
                     unknowns.held == 0 ? need.consequence : "fewer values leave its term undecided", need.cure);
}

struct Line {
  double slope;  ///< d log D / d log N
  double deviation;
};

/// The line through (log N, log D) by least squares, or nothing when N does not vary.
std::optional<Line> line_through(const Observations& observations, std::size_t params, std::size_t tokens) {
  const auto n = static_cast<double>(observations.inputs.size());
  double mean_x = 0, mean_y = 0, xx = 0, xy = 0;
  for (const auto& inputs : observations.inputs) {
    mean_x += std::log(inputs[params]) / n;
    mean_y += std::log(inputs[tokens]) / n;
  }
  for (const auto& inputs : observations.inputs) {
    const double x = std::log(inputs[params]) - mean_x;
    xx += x * x;
    xy += x * (std::log(inputs[tokens]) - mean_y);
  }
  if (xx < n * kSameValue * kSameValue) return std::nullopt;
  Line line{.slope = xy / xx, .deviation = 0};
  for (const auto& inputs : observations.inputs) {
    const double predicted = mean_y + line.slope * (std::log(inputs[params]) - mean_x);
    line.deviation = std::max(line.deviation, std::abs(std::log(inputs[tokens]) - predicted));
  }
  return line;
}

/// A warning when D is a function of N alone.
std::vector<std::string> ray_warning(const Law& law, const Observations& observations) {
  const auto params = input_index(law, "N"), tokens = input_index(law, "D");
  if (!params || !tokens) return {};
  const auto line = line_through(observations, *params, *tokens);
  if (!line || line->deviation > kOnLine || std::abs(line->slope) < kOnLine) return {};
  const auto smallest = *std::min_element(observations.inputs.begin(), observations.inputs.end(),
                                          [&](const auto& a, const auto& b) { return a[*params] < b[*params]; });
  const std::string where =
      std::abs(line->slope - 1) < kOnLine
          ? fmt::format("all runs lie on one ray D/N = {:.3g}", smallest[*tokens] / smallest[*params])
          : fmt::format("all runs lie on one curve D ~ N^{:.2f}", line->slope);
  return {
      fmt::format("{}, so the terms in N and D move together and their split is not decided (neither is the optimal "
                  "N at a budget); repeat the smallest model, N = {:.4g}, with 4 times the tokens, D = {:.4g}",
                  where, smallest[*params], 4 * smallest[*tokens])};
}

/// An input as a law's terms see it: exponents multiply its logarithm.
double coordinate(std::string_view input, double value) {
  if (input == "E" || input == "M") return std::log(value + 0.5);
  return input == "G" ? std::log(std::log2(value)) : std::log(value);
}

/// Inputs whose needs have free parameters, of all observations or of the quantized ones.
std::vector<std::size_t> inputs_needed(const Law& law, const std::vector<bool>& free, bool quantized_only) {
  std::vector<std::size_t> inputs;
  for (const DesignNeed& need : law.needs()) {
    const std::size_t at = *input_index(law, need.input);
    if (need.quantized_only != quantized_only || unknowns_of(law, need, free).free.empty()) continue;
    if (std::find(inputs.begin(), inputs.end(), at) == inputs.end()) inputs.push_back(at);
  }
  return inputs;
}

/// A warning when inputs that vary do so together only: their coordinates, each centered and of norm 1, have a
/// combination that is nearly zero.
std::vector<std::string> together_warning(const Law& law, const Observations& observations,
                                          const std::vector<bool>& free, bool quantized_only) {
  std::vector<std::vector<double>> rows;
  for (const auto& inputs : observations.inputs) {
    if (!quantized_only || is_quantized(law, inputs)) rows.push_back(inputs);
  }
  if (rows.size() < 2) return {};
  std::vector<std::size_t> varying;
  std::vector<Eigen::VectorXd> columns;
  for (const std::size_t input : inputs_needed(law, free, quantized_only)) {
    Eigen::VectorXd column(static_cast<Eigen::Index>(rows.size()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      column(static_cast<Eigen::Index>(i)) = coordinate(law.inputs()[input], rows[i][input]);
    }
    column.array() -= column.mean();
    if (!(column.norm() > kSameValue * std::sqrt(static_cast<double>(rows.size())))) continue;
    varying.push_back(input);
    columns.push_back(column.normalized());
  }
  if (columns.size() < 2) return {};
  Eigen::MatrixXd matrix(columns.front().size(), static_cast<Eigen::Index>(columns.size()));
  for (std::size_t k = 0; k < columns.size(); ++k) matrix.col(static_cast<Eigen::Index>(k)) = columns[k];
  const Eigen::JacobiSVD<Eigen::MatrixXd> svd(matrix, Eigen::ComputeThinV);
  const Eigen::Index last = svd.matrixV().cols() - 1;
  if (svd.singularValues().size() > last && svd.singularValues()(last) > kOnLine) return {};
  std::vector<std::size_t> together;
  for (std::size_t k = 0; k < varying.size(); ++k) {
    if (std::abs(svd.matrixV()(static_cast<Eigen::Index>(k), last)) > 0.1) together.push_back(varying[k]);
  }
  std::vector<std::string_view> names;
  for (const std::size_t input : together) names.push_back(law.inputs()[input]);
  if (names == std::vector<std::string_view>{"N", "D"}) return {};  // ray_warning() says it better
  const std::size_t changed = together.back();
  const auto other =
      std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row[changed] != rows.front()[changed]; });
  return {fmt::format(
      "{} vary together only in {} runs, so what each of them costs is not decided; repeat the run with {} = {:.4g} at "
      "{} = {:.4g}, all else equal",
      fmt::join(names, ", "), quantized_only ? "the quantized" : "all", names.front(), rows.front()[together.front()],
      names.back(), (*other)[changed])};
}

}  // namespace

std::vector<std::string> design_warnings(const Law& law, const Observations& observations,
                                         const std::vector<bool>& free) {
  std::vector<std::string> warnings = ray_warning(law, observations);
  for (const bool quantized_only : {false, true}) {
    const auto together = together_warning(law, observations, free, quantized_only);
    warnings.insert(warnings.end(), together.begin(), together.end());
  }
  bool told_unquantized = false;
  for (const DesignNeed& need : law.needs()) {
    const Unknowns unknowns = unknowns_of(law, need, free);
    if (unknowns.free.empty()) continue;
    const std::vector<double> values = distinct_values(law, observations, need);
    if (static_cast<int>(values.size()) >= need.distinct - unknowns.held) continue;
    if (!values.empty()) {
      warnings.push_back(describe(need, unknowns, values));
    } else if (!told_unquantized) {
      told_unquantized = true;
      warnings.push_back(
          "no run is quantized in blocks (G or B > 1), so the parameters of the quantization penalty are not decided; "
          "repeat the smallest run in a block format");
    }
  }
  return warnings;
}

std::vector<std::string> curvature_warnings(const Law& law, double condition_number,
                                            std::span<const double> directions) {
  if (condition_number < kIllConditioned) return {};
  const auto flattest = directions.last(law.parameters().size());
  std::vector<std::string_view> names;
  for (std::size_t j = 0; j < flattest.size(); ++j) {
    if (std::abs(flattest[j]) > 0.1) names.push_back(law.parameters()[j].name);
  }
  return {
      fmt::format("the data hardly decide a combination of {} (condition number {:.1e}): they can change together "
                  "without changing the fit, so their intervals are wide and each value alone means little; fix one "
                  "of them or add runs that vary its input",
                  fmt::join(names, ", "), condition_number)};
}

}  // namespace bitlaw
