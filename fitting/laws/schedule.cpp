#include "fitting/laws/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/check.h"

namespace bitlaw {

Schedule make_schedule(const ScheduleSpec& spec) {
  BITLAW_CHECK(spec.steps >= spec.warmup && spec.warmup >= 0, "steps {}, warmup {}", spec.steps, spec.warmup);
  Schedule schedule;
  schedule.reserve(static_cast<std::size_t>(spec.steps) + 1);
  for (int step = 0; step <= spec.steps; ++step) {
    if (step < spec.warmup) {
      schedule.push_back(spec.peak * step / std::max(spec.warmup - 1, 1));
      continue;
    }
    const bool cosine = spec.shape == ScheduleShape::Cosine;
    const int from = cosine ? spec.warmup : spec.decay_from;
    const int to = cosine && spec.length > 0 ? spec.length : spec.steps;
    const double x = step <= from ? 0 : std::min(1.0, static_cast<double>(step - from) / (to - from));
    double rate = spec.peak;
    switch (spec.shape) {
      case ScheduleShape::Constant:
        break;
      case ScheduleShape::Cosine:
        rate = spec.end + (spec.peak - spec.end) * (1 + std::cos(std::numbers::pi * x)) / 2;
        break;
      case ScheduleShape::Linear:
        rate = spec.peak + (spec.end - spec.peak) * x;
        break;
      case ScheduleShape::OneMinusSqrt:
        rate = spec.peak + (spec.end - spec.peak) * std::sqrt(x);
        break;
      case ScheduleShape::Exponential:
        rate = spec.peak * std::pow(spec.end / spec.peak, x);
        break;
      case ScheduleShape::TwoStage:
        rate = step < spec.decay_from ? spec.peak : spec.end;
        break;
    }
    schedule.push_back(rate);
  }
  return schedule;
}

LearningRateSums learning_rate_sums(const Schedule& schedule, double lambda, Warmup warmup) {
  LearningRateSums sums;
  if (schedule.empty()) return sums;
  const auto peak_at = static_cast<std::size_t>(std::max_element(schedule.begin(), schedule.end()) - schedule.begin());
  const double peak = schedule[peak_at];
  sums.s1.reserve(schedule.size());
  sums.s2.reserve(schedule.size());
  double s1 = 0, s2 = 0, momentum = 0;
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    const bool warming = i <= peak_at;
    const double rate = warming && warmup == Warmup::AsPeak ? peak : schedule[i];
    s1 += rate;
    double drop = 0;
    if (i > 0 && !(warming && warmup != Warmup::RealRamp)) drop = schedule[i - 1] - schedule[i];
    momentum = lambda * momentum + drop;
    s2 += momentum;
    sums.s1.push_back(s1);
    sums.s2.push_back(s2);
  }
  return sums;
}

ContinuedSums continued_sums(const Schedule& schedule, std::size_t transition, double lambda, Warmup warmup) {
  BITLAW_CHECK(transition < schedule.size(), "transition {}, steps {}", transition, schedule.size());
  const auto at = schedule.begin() + static_cast<std::ptrdiff_t>(transition);
  ContinuedSums sums{learning_rate_sums({schedule.begin(), at + 1}, lambda, warmup),
                     learning_rate_sums({at, schedule.end()}, lambda, Warmup::RealRamp)};
  for (double& area : sums.second.s1) area -= *at;  // which is the first part's
  for (auto* part : {&sums.first.s1, &sums.first.s2}) part->resize(schedule.size(), part->back());
  for (auto* part : {&sums.second.s1, &sums.second.s2}) part->insert(part->begin(), transition, 0.0);
  return sums;
}

}  // namespace bitlaw
