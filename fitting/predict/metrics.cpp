#include "fitting/predict/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/base/limits.h"

namespace bitlaw {
namespace {

constexpr std::string_view kMeanOfCurves = "_mean_of_curves";

/// Whether a split, or the mean of its curves, has this name among a fit's metrics.
bool names_split(std::string_view name) {
  constexpr std::array<std::string_view, 3> kSplits{"train", "test", "data"};
  if (name.ends_with(kMeanOfCurves)) name.remove_suffix(kMeanOfCurves.size());
  return std::find(kSplits.begin(), kSplits.end(), name) != kSplits.end();
}

/// Each number of the entries averaged; `count` is their sum.
FitMetrics mean_of(std::string name, const std::vector<FitMetrics>& entries) {
  FitMetrics mean{.name = std::move(name)};
  const auto add = [&](double FitMetrics::*member) {
    mean.*member = 0;
    for (const FitMetrics& entry : entries) mean.*member += entry.*member / static_cast<double>(entries.size());
  };
  for (const auto member : {&FitMetrics::r2, &FitMetrics::mae, &FitMetrics::rmse, &FitMetrics::relative_mean,
                            &FitMetrics::relative_worst, &FitMetrics::log_rmse}) {
    add(member);
  }
  for (const FitMetrics& entry : entries) mean.count += entry.count;
  return mean;
}

}  // namespace

FitMetrics metrics_of(std::string name, const std::vector<double>& observed, const std::vector<double>& predicted) {
  FitMetrics metrics{.name = std::move(name), .count = static_cast<std::int64_t>(observed.size())};
  if (observed.empty()) return metrics;
  const auto n = static_cast<double>(observed.size());
  double mean = 0;
  for (const double y : observed) mean += y / n;
  double absolute = 0, squares = 0, spread = 0, relative = 0, log_squares = 0;
  metrics.relative_worst = 0;
  for (std::size_t i = 0; i < observed.size(); ++i) {
    const double y = observed[i], error = y - predicted[i], log_error = std::log(y / predicted[i]);
    absolute += std::abs(error);
    squares += error * error;
    spread += (y - mean) * (y - mean);
    relative += std::abs(error / y);
    log_squares += log_error * log_error;
    const double worse = std::abs(error / y);
    if (worse > metrics.relative_worst || std::isnan(worse)) metrics.relative_worst = worse;  // NaN stays
  }
  metrics.r2 = spread > 0 ? 1 - squares / spread : kNan;
  metrics.mae = absolute / n;
  metrics.rmse = std::sqrt(squares / n);
  metrics.relative_mean = relative / n;
  metrics.log_rmse = std::sqrt(log_squares / n);
  return metrics;
}

std::vector<FitMetrics> metrics_by_curve(const std::string& split, const Observations& observations,
                                         const std::vector<double>& predicted) {
  std::vector<FitMetrics> metrics{metrics_of(split, observations.loss, predicted)};
  std::vector<std::string> curves;
  for (const std::string& curve : observations.cluster) {
    if (std::find(curves.begin(), curves.end(), curve) == curves.end()) curves.push_back(curve);
  }
  std::vector<FitMetrics> each;
  for (const std::string& curve : curves) {
    std::vector<double> observed, of_curve;
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      if (observations.cluster[i] != curve) continue;
      observed.push_back(observations.loss[i]);
      of_curve.push_back(predicted[i]);
    }
    each.push_back(metrics_of(names_split(curve) ? "curve " + curve : curve, observed, of_curve));
  }
  if (each.size() > 1) metrics.push_back(mean_of(split + std::string(kMeanOfCurves), each));
  metrics.insert(metrics.end(), each.begin(), each.end());
  return metrics;
}

}  // namespace bitlaw
