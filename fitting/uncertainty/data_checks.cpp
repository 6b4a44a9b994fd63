#include "fitting/uncertainty/data_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "fitting/uncertainty/covariance.h"

namespace bitlaw {
namespace {

constexpr double kFewest = 1000;          // parameters or tokens that the largest of some runs has at least
constexpr double kJump = 1e5;             // from one size to the next larger
constexpr double kLeastRatio = 1e-4;      // D/N
constexpr double kLargestRatio = 1e6;     // D/N
constexpr std::size_t kFewSpareRuns = 2;  // beyond the free parameters

/// Rows of different runs that agree in every digit.
std::vector<std::string> copy_warning(const Observations& observations) {
  std::map<std::pair<std::vector<double>, double>, std::size_t> first;
  std::size_t copies = 0;
  std::string example;
  for (std::size_t i = 0; i < observations.loss.size(); ++i) {
    const auto [known, inserted] = first.try_emplace({observations.inputs[i], observations.loss[i]}, i);
    if (inserted || observations.cluster[known->second] == observations.cluster[i]) continue;
    if (copies++ == 0) example = fmt::format("{} = {}", observations.ids[i], observations.ids[known->second]);
  }
  if (copies == 0) return {};
  return {
      fmt::format("{} row{} other rows to the last digit ({}), which makes the noise look smaller than it is; delete "
                  "the copies, or "
                  "repeat the runs with another seed",
                  copies, copies == 1 ? " repeats" : "s repeat", example)};
}

std::vector<std::string> equal_loss_warning(const Observations& observations) {
  const auto [least, most] = std::minmax_element(observations.loss.begin(), observations.loss.end());
  if (observations.loss.size() < 2 || *least != *most) return {};
  return {fmt::format(
      "all {} losses are equal ({}), so they depend on no input and no term can be decided; check which column is the "
      "loss",
      observations.loss.size(), *least)};
}

std::vector<double> sorted_values(const Observations& observations, std::size_t input) {
  std::vector<double> values;
  for (const auto& row : observations.inputs) values.push_back(row[input]);
  std::sort(values.begin(), values.end());
  return values;
}

std::vector<std::string> unit_warnings(const Law& law, const Observations& observations) {
  std::vector<std::string> warnings;
  const auto& names = law.inputs();
  for (std::size_t k = 0; k < names.size(); ++k) {
    if (names[k] != "N" && names[k] != "D") continue;
    const std::string_view counted = names[k] == "N" ? "parameters" : "tokens";
    const std::vector<double> values = sorted_values(observations, k);
    if (values.back() < kFewest) {
      warnings.push_back(fmt::format(
          "{0} is at most {1:.4g} in all runs, too few {2} for any; if it counts millions or billions, so do the "
          "coefficients and every optimum; multiply the column by 1e6 or 1e9",
          names[k], values.back(), counted));
      continue;
    }
    for (std::size_t i = 1; i < values.size(); ++i) {
      if (values[i] < kJump * values[i - 1]) continue;
      warnings.push_back(
          fmt::format("{} jumps from {:.4g} to {:.4g} {}, so some rows may count other units than the rest; give all "
                      "rows the same, "
                      "or add a run between them",
                      names[k], values[i - 1], values[i], counted));
    }
  }
  return warnings;
}

std::vector<std::string> ratio_warning(const Law& law, const Observations& observations) {
  const auto& names = law.inputs();
  const auto n = std::find(names.begin(), names.end(), "N"), d = std::find(names.begin(), names.end(), "D");
  if (n == names.end() || d == names.end()) return {};
  std::vector<double> ratios;
  for (const auto& row : observations.inputs) {
    ratios.push_back(row[static_cast<std::size_t>(d - names.begin())] /
                     row[static_cast<std::size_t>(n - names.begin())]);
  }
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  if (*least<kLargestRatio&& * most> kLeastRatio) return {};
  return {fmt::format(
      "D/N lies between {:.3g} and {:.3g} tokens per parameter in all runs, so N and D may count different units; give "
      "both as plain numbers",
      *least, *most)};
}

std::vector<std::string> spare_runs_warning(const Observations& observations, std::size_t unknowns) {
  const std::size_t runs = count_distinct(observations.cluster);
  if (runs <= unknowns || runs > unknowns + kFewSpareRuns) return {};
  return {fmt::format(
      "{} runs are only {} more than the {} free parameters, so the noise is known from {} number{} and the intervals "
      "are wide for that alone; repeat the smallest run with another seed, or fix a parameter",
      runs, runs - unknowns, unknowns, runs - unknowns, runs - unknowns == 1 ? "" : "s")};
}

}  // namespace

std::vector<std::string> data_warnings(const Law& law, const Observations& observations, std::size_t unknowns) {
  std::vector<std::string> warnings;
  if (observations.loss.empty()) return warnings;
  const auto append = [&](const std::vector<std::string>& more) {
    warnings.insert(warnings.end(), more.begin(), more.end());
  };
  if (!law.is_of_shares()) append(copy_warning(observations));
  append(equal_loss_warning(observations));
  append(unit_warnings(law, observations));
  if (warnings.empty()) append(ratio_warning(law, observations));
  append(spare_runs_warning(observations, unknowns));
  return warnings;
}

}  // namespace bitlaw
