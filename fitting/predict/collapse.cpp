#include "fitting/predict/collapse.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"
#include "core/base/limits.h"

namespace bitlaw {
namespace {

struct Moments {
  double mean = 0, squares = 0;  ///< squares: the sum of squared distances from the mean
};

Moments moments_of(std::span<const double> values) {
  Moments moments;
  for (const double value : values) moments.mean += value / static_cast<double>(values.size());
  for (const double value : values) moments.squares += (value - moments.mean) * (value - moments.mean);
  return moments;
}

/// Over all ways to take one run of each group, the mean sample variance is that of the groups' means and what a run
/// varies about its own.
double spread_at(std::span<const CurveGroup> groups, double irreducible, double x) {
  std::vector<double> means;
  double within = 0;
  for (const CurveGroup& group : groups) {
    std::vector<double> normalized;
    for (const LossCurve& run : group.seeds) {
      normalized.push_back((run.at(x) - irreducible) / (run.loss.back() - irreducible));
    }
    const Moments of_group = moments_of(normalized);
    means.push_back(of_group.mean);
    within += of_group.squares / static_cast<double>(normalized.size() * groups.size());
  }
  const Moments between = moments_of(means);
  return std::sqrt(between.squares / static_cast<double>(means.size() - 1) + within) / between.mean;
}

double noise_at(std::span<const CurveGroup> groups, double irreducible, double x) {
  double sum = 0;
  int count = 0;
  for (const CurveGroup& group : groups) {
    if (group.seeds.size() < 2) continue;
    std::vector<double> losses;
    for (const LossCurve& run : group.seeds) losses.push_back(run.at(x));
    const Moments of_group = moments_of(losses);
    const double above = of_group.mean - irreducible;
    sum += of_group.squares / static_cast<double>(losses.size() - 1) / (above * above);
    ++count;
  }
  return count > 0 ? std::sqrt(sum / count) : kNan;
}

}  // namespace

double LossCurve::at(double place) const {
  const auto next = std::upper_bound(x.begin(), x.end(), place);
  if (next == x.begin()) return loss.front();
  if (next == x.end()) return loss.back();
  const auto i = static_cast<std::size_t>(next - x.begin());
  return loss[i - 1] + (loss[i] - loss[i - 1]) * (place - x[i - 1]) / (x[i] - x[i - 1]);
}

Collapse collapse_of(std::span<const CurveGroup> groups, double irreducible, double from, int count) {
  BITLAW_CHECK(groups.size() >= 2 && count > 0, "{} groups, {} points", groups.size(), count);
  Collapse collapse;
  for (int i = 0; i < count; ++i) {
    const double x = from + (1 - from) * i / count;
    const CollapsePoint point{x, spread_at(groups, irreducible, x), noise_at(groups, irreducible, x)};
    collapse.points.push_back(point);
    collapse.mean_spread += point.spread / count;
    collapse.mean_noise += point.noise / count;
    collapse.below_noise += point.spread < point.noise ? 1.0 / count : 0;
  }
  if (std::isnan(collapse.mean_noise)) collapse.below_noise = kNan;
  return collapse;
}

}  // namespace bitlaw
