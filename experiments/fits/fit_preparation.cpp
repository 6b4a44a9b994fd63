#include "experiments/fits/fit_preparation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "experiments/fits/curve_tail.h"
#include "experiments/fits/merged_rows.h"

namespace bitlaw {
namespace {

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

std::vector<double> values_at(const std::vector<double>& column, const std::vector<std::size_t>& rows) {
  std::vector<double> values;
  for (const std::size_t row : rows) values.push_back(column[row]);
  return values;
}

/// Lists of the rows that share a key, in the order of their first.
template <typename KeyOf>
std::vector<std::vector<std::size_t>> lists_by(const FitRows& rows, const KeyOf& key_of) {
  std::map<decltype(key_of(0)), std::size_t> numbers;
  std::vector<std::vector<std::size_t>> lists;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto [entry, is_new] = numbers.try_emplace(key_of(i), lists.size());
    if (is_new) lists.emplace_back();
    lists[entry->second].push_back(i);
  }
  return lists;
}

void merge_seeds(FitRows& rows, const std::string& how) {
  if (how != "mean" && how != "median") {
    throw InputError(
        fmt::format("--seeds {}: is neither mean nor median, so rows with equal inputs cannot be merged; write one of "
                    "these",
                    how));
  }
  const auto lists = lists_by(rows, [&](std::size_t i) {
    std::vector<double> key;
    for (const std::vector<double>& column : rows.inputs) key.push_back(column[i]);
    return key;
  });
  rows.notes.push_back(fmt::format("{} rows became {}: the {} loss of those with equal inputs was taken", rows.size(),
                                   lists.size(), how));
  merge_rows(rows, lists, [&](const auto& list) {
    return how == "mean" ? mean_of(rows.loss, list) : median_of(values_at(rows.loss, list));
  });
}

struct OutlierRule {
  std::string kind;
  double amount = 0;
};

OutlierRule outlier_rule(const FitRequest& request) {
  if (request.outliers.empty()) return {};
  const auto equals = request.outliers.find('=');
  OutlierRule rule{request.outliers.substr(0, equals), 0};
  const bool number = equals != std::string::npos && parses_as_number(request.outliers.substr(equals + 1), rule.amount);
  if (!number || !(rule.amount > 0) || (rule.kind != "largest" && rule.kind != "mad")) {
    throw InputError(
        fmt::format("--outliers {}: is no rule, so it is not clear what to leave out; write largest=5, the "
                    "largest losses, or mad=4, residuals so many deviations from the others",
                    request.outliers));
  }
  return rule;
}

void drop_largest(FitRows& rows, std::size_t count) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return rows.loss[a] < rows.loss[b]; });
  order.resize(rows.size() - std::min(count, rows.size()));
  std::sort(order.begin(), order.end());
  rows.notes.push_back(
      fmt::format("by --outliers the {} largest of {} losses are left out", rows.size() - order.size(), rows.size()));
  rows.keep(order);
}

}  // namespace

void prepare_rows(FitRows& rows, const FitRequest& request) {
  if (!request.tail.empty()) CurveTail(request.tail).average(rows);
  if (!request.seeds.empty()) merge_seeds(rows, request.seeds);
  if (const OutlierRule rule = outlier_rule(request); rule.kind == "largest") {
    drop_largest(rows, static_cast<std::size_t>(rule.amount));
  }
}

double outlier_threshold(const FitRequest& request) {
  const OutlierRule rule = outlier_rule(request);
  return rule.kind == "mad" ? rule.amount : 0;
}

std::vector<bool> outliers_of(const std::vector<double>& observed, const std::vector<double>& predicted,
                              Residual residual, double threshold) {
  std::vector<double> residuals, distances;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    const bool log = residual == Residual::Log;
    residuals.push_back(log ? std::log(observed[i] / predicted[i]) : observed[i] - predicted[i]);
  }
  const double middle = median_of(residuals);
  for (const double value : residuals) distances.push_back(std::abs(value - middle));
  const double deviation = 1.4826 * median_of(distances);  // a normal distribution's standard deviation
  std::vector<bool> outlier;
  for (const double distance : distances) outlier.push_back(distance > threshold * deviation);
  return outlier;
}

Observations without_outliers(const Observations& observations, const std::vector<bool>& outlier, double threshold) {
  Observations kept;
  kept.notes = observations.notes;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < outlier.size(); ++i) {
    if (outlier[i]) {
      names.push_back(observations.ids[i]);
      continue;
    }
    kept.ids.push_back(observations.ids[i]);
    kept.inputs.push_back(observations.inputs[i]);
    kept.loss.push_back(observations.loss[i]);
    kept.cluster.push_back(observations.cluster[i]);
    if (!observations.weights.empty()) kept.weights.push_back(observations.weights[i]);
    if (!observations.format.empty()) kept.format.push_back(observations.format[i]);
  }
  if (!names.empty()) {
    kept.notes.push_back(fmt::format("by --outliers mad={} {} of {} observations are left out: {}", threshold,
                                     names.size(), outlier.size(), fmt::join(names, ", ")));
  }
  return kept;
}

}  // namespace bitlaw
