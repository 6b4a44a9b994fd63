#include "fitting/uncertainty/interval_coverage.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>

#include "core/base/limits.h"
#include "core/base/parallel_for.h"
#include "fitting/uncertainty/bootstrap.h"

namespace bitlaw {
namespace {

using Records = std::vector<FitRecord>;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

IntervalScore score_of(const Records& records, const Law& law, std::size_t j, double truth,
                       double FittedParameter::*low, double FittedParameter::*high) {
  IntervalScore score;
  std::vector<double> widths;
  const double share = 1 / static_cast<double>(records.size());
  for (const FitRecord& record : records) {
    const double from = record.parameters[j].*low, to = record.parameters[j].*high;
    if (truth < from) score.below += share;
    if (truth > to) score.above += share;
    if (from <= truth && truth <= to) score.covered += share;
    const double width = std::isinf(from) || std::isinf(to)
                             ? INFINITY
                             : to_fitted(law.parameters()[j], to) - to_fitted(law.parameters()[j], from);
    if (!std::isnan(width)) widths.push_back(width);
  }
  score.width = widths.empty() ? NAN : median(widths);
  return score;
}

}  // namespace

CoverageReport measure_coverage(const SyntheticDesign& design, FitOptions options, int sets, const SetsDone& done) {
  const Law& law = *design.law;
  const int threads = options.threads;
  options.threads = 1;
  options.profile = true;
  Records records(static_cast<std::size_t>(sets));
  std::mutex mutex;
  int finished = 0;
  std::atomic<bool> stopped = false;
  parallel_for(records.size(), threads, [&](std::size_t set) {
    if (stopped) return;
    FitOptions own = options;
    own.seed = options.seed + set;  // of the resampling
    records[set] = fit_law(law, synthetic_losses(design, options.seed, static_cast<std::uint32_t>(set)), own, "set");
    records[set].draws = {};
    const std::lock_guard lock(mutex);
    if (!done(++finished)) stopped = true;
  });
  std::erase_if(records, [](const FitRecord& record) { return record.parameters.empty(); });

  CoverageReport report{.law = std::string(law.name()),
                        .description = design.description,
                        .objective = describe(options.objective),
                        .run_noise = design.run_noise,
                        .row_noise = design.row_noise,
                        .level = options.level,
                        .sets = static_cast<int>(records.size()),
                        .bootstrap = options.bootstrap};
  if (records.empty()) return report;
  for (std::size_t j = 0; j < law.parameters().size(); ++j) {
    const double truth = design.truth[j], goal = to_fitted(law.parameters()[j], truth);
    std::vector<double> errors;
    for (const FitRecord& record : records) {
      errors.push_back(to_fitted(law.parameters()[j], record.parameters[j].estimate) - goal);
    }
    const auto [low, high] = percentile_interval(errors, 0.6827);
    using P = FittedParameter;
    report.parameters.push_back({.name = std::string(law.parameters()[j].name),
                                 .truth = truth,
                                 .bias = median(errors),
                                 .spread = (high - low) / 2,
                                 .covariance = score_of(records, law, j, truth, &P::ci_low, &P::ci_high),
                                 .profile = score_of(records, law, j, truth, &P::profile_low, &P::profile_high),
                                 .bootstrap = options.bootstrap > 0
                                                  ? score_of(records, law, j, truth, &P::boot_low, &P::boot_high)
                                                  : IntervalScore{kNan, kNan, kNan, kNan}});
  }
  return report;
}

}  // namespace bitlaw
