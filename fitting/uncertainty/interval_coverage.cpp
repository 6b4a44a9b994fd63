#include "fitting/uncertainty/interval_coverage.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>

#include "core/base/limits.h"
#include "core/base/parallel_for.h"
#include "fitting/predict/bands.h"
#include "fitting/uncertainty/bootstrap.h"

namespace bitlaw {
namespace {

/// What one synthetic set gave.
struct FittedSet {
  FitRecord record;
  std::vector<Prediction> predictions;
};

constexpr IntervalScore kNotMade{kNan, kNan, kNan, kNan};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Half the central 68.27 % of them.
double spread_of(const std::vector<double>& errors) {
  const auto [low, high] = percentile_interval(errors, 0.6827);
  return (high - low) / 2;
}

/// Intervals and truth in the coordinate that widths are told in.
IntervalScore score_of(const std::vector<Band>& intervals, double truth) {
  IntervalScore score;
  std::vector<double> widths;
  const double share = 1 / static_cast<double>(intervals.size());
  for (const auto& [low, high] : intervals) {
    if (truth < low) score.below += share;
    if (truth > high) score.above += share;
    if (low <= truth && truth <= high) score.covered += share;
    const double width = std::isinf(low) || std::isinf(high) ? kInfinity : high - low;
    if (!std::isnan(width)) widths.push_back(width);
  }
  score.width = widths.empty() ? kNan : median(widths);
  return score;
}

ParameterCoverage coverage_of(const std::vector<FittedSet>& sets, const LawParameter& parameter, std::size_t j,
                              double truth, bool bootstrap) {
  const double goal = to_fitted(parameter, truth);
  std::vector<double> errors;
  for (const FittedSet& set : sets) errors.push_back(to_fitted(parameter, set.record.parameters[j].estimate) - goal);
  const auto score = [&](double FittedParameter::*low, double FittedParameter::*high) {
    const auto fitted = [&](double end) { return std::isinf(end) ? end : to_fitted(parameter, end); };
    std::vector<Band> intervals;
    for (const FittedSet& set : sets) {
      const FittedParameter& found = set.record.parameters[j];
      intervals.push_back({fitted(found.*low), fitted(found.*high)});
    }
    return score_of(intervals, goal);
  };
  using P = FittedParameter;
  return {.name = std::string(parameter.name),
          .truth = truth,
          .bias = median(errors),
          .spread = spread_of(errors),
          .covariance = score(&P::ci_low, &P::ci_high),
          .profile = score(&P::profile_low, &P::profile_high),
          .bootstrap = bootstrap ? score(&P::boot_low, &P::boot_high) : kNotMade};
}

PredictionCoverage coverage_of(const std::vector<FittedSet>& sets, std::size_t k, const std::vector<double>& inputs,
                               double truth, Residual residual, bool bootstrap) {
  const auto even = [residual](double loss) { return residual == Residual::Log ? std::log(loss) : loss; };
  std::vector<double> errors;
  for (const FittedSet& set : sets) errors.push_back(even(set.predictions[k].value) - even(truth));
  const auto score = [&](Band Prediction::*band) {
    std::vector<Band> intervals;
    for (const FittedSet& set : sets) {
      const Band& found = set.predictions[k].*band;
      intervals.push_back({even(found.low), even(found.high)});
    }
    return score_of(intervals, even(truth));
  };
  return {.inputs = inputs,
          .truth = truth,
          .bias = median(errors),
          .spread = spread_of(errors),
          .covariance = score(&Prediction::confidence),
          .bootstrap = bootstrap ? score(&Prediction::confidence_draws) : kNotMade};
}

}  // namespace

CoverageReport measure_coverage(const SyntheticDesign& design, FitOptions options, int sets, const SetsDone& done,
                                const std::vector<std::vector<double>>& places) {
  const Law& law = *design.law;
  const Residual residual = options.objective.residual;
  const int threads = options.threads;
  options.threads = 1;
  options.profile = true;
  std::vector<FittedSet> fitted(static_cast<std::size_t>(sets));
  std::mutex mutex;
  int finished = 0;
  std::atomic<bool> stopped = false;
  parallel_for(fitted.size(), threads, [&](std::size_t number) {
    if (stopped) return;
    FitOptions own = options;
    own.seed = options.seed + number;  // of the resampling
    FittedSet& set = fitted[number];
    set.record = fit_law(law, synthetic_losses(design, options.seed, static_cast<std::uint32_t>(number)), own, "set");
    for (const auto& inputs : places) {
      set.predictions.push_back(predict_with_bands(law, set.record, inputs, residual, options.level));
    }
    set.record.draws = {};
    const std::lock_guard lock(mutex);
    if (!done(++finished)) stopped = true;
  });
  std::erase_if(fitted, [](const FittedSet& set) { return set.record.parameters.empty(); });

  CoverageReport report{.law = std::string(law.name()),
                        .description = design.description,
                        .objective = describe(options.objective),
                        .run_noise = design.run_noise,
                        .row_noise = design.row_noise,
                        .level = options.level,
                        .sets = static_cast<int>(fitted.size()),
                        .bootstrap = options.bootstrap};
  if (fitted.empty()) return report;
  const bool bootstrap = options.bootstrap > 0;
  for (std::size_t j = 0; j < law.parameters().size(); ++j) {
    report.parameters.push_back(coverage_of(fitted, law.parameters()[j], j, design.truth[j], bootstrap));
  }
  for (std::size_t k = 0; k < places.size(); ++k) {
    report.predictions.push_back(
        coverage_of(fitted, k, places[k], law.predict(design.truth, places[k]), residual, bootstrap));
  }
  return report;
}

}  // namespace bitlaw
