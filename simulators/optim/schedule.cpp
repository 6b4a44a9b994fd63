#include "simulators/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bitlaw {
namespace {

constexpr double kLambda = 0.999;  // the authors' preset, not fitted

/// How far `step` lies between `first` (0) and `last` (1).
double progress(std::int64_t step, std::int64_t first, std::int64_t last) {
  if (last <= first) return step < first ? 0.0 : 1.0;
  return std::clamp(static_cast<double>(step - first) / static_cast<double>(last - first), 0.0, 1.0);
}

double cosine(double from, double to, double u) {
  return to + (from - to) * 0.5 * (1.0 + std::cos(std::numbers::pi * u));
}

double decayed(DecayShape shape, double final, double u) {
  switch (shape) {
    case DecayShape::Linear:
      return 1.0 + (final - 1.0) * u;
    case DecayShape::Exponential:
      return std::pow(final, u);
    case DecayShape::OneMinusSqrt:
      return 1.0 + (final - 1.0) * std::sqrt(u);
  }
  return 1.0;
}

double cyclic(const ScheduleConfig& schedule, std::int64_t step, std::int64_t warmup, std::int64_t steps) {
  const std::int64_t span = steps - warmup, done = step - warmup;
  const std::int64_t cycle = std::min<std::int64_t>(schedule.cycles - 1, done * schedule.cycles / span);
  const auto start = [&](std::int64_t c) { return (c * span + schedule.cycles - 1) / schedule.cycles; };
  return cosine(1.0, schedule.final, progress(done, start(cycle), start(cycle + 1) - 1));
}

double multi_step(const ScheduleConfig& schedule, std::int64_t step, std::int64_t steps) {
  double factor = 1.0;
  for (const double milestone : schedule.milestones) {
    if (step >= std::llround(milestone * static_cast<double>(steps))) factor *= schedule.gamma;
  }
  return factor;
}

double rewarmup(const ScheduleConfig& schedule, std::int64_t step, std::int64_t warmup, std::int64_t steps) {
  const std::int64_t turn = std::llround(schedule.rewarm_at * static_cast<double>(steps));
  const std::int64_t top = std::min(turn + warmup, steps - 1);
  if (step < turn) return cosine(1.0, schedule.final, progress(step, warmup, turn - 1));
  if (step < top) {
    const double u = static_cast<double>(step + 1 - turn) / static_cast<double>(warmup);
    return schedule.final + (schedule.rewarm_peak - schedule.final) * u;
  }
  return cosine(schedule.rewarm_peak, schedule.final, progress(step, top, steps - 1));
}

double along_points(const std::vector<std::pair<std::int64_t, double>>& points, std::int64_t step) {
  const auto next = std::find_if(points.begin(), points.end(), [&](const auto& point) { return point.first > step; });
  if (next == points.begin()) return next->second;
  const auto& [first, factor] = *(next - 1);
  if (next == points.end()) return factor;
  return factor + (next->second - factor) * progress(step, first, next->first);
}

}  // namespace

double schedule_factor(const ScheduleConfig& schedule, std::int64_t step, std::int64_t steps) {
  if (schedule.kind == ScheduleKind::File) return along_points(schedule.points, step);
  const auto share = [steps](double fraction, std::int64_t given) {
    return given > 0 ? given : std::llround(fraction * static_cast<double>(steps));
  };
  const std::int64_t warmup = share(schedule.warmup, schedule.warmup_steps);
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  const std::int64_t last = steps - 1;
  switch (schedule.kind) {
    case ScheduleKind::Constant:
    case ScheduleKind::File:
      return 1.0;
    case ScheduleKind::Cosine:
      return cosine(1.0, schedule.final, progress(step, warmup, last));
    case ScheduleKind::Linear:
      return 1.0 + (schedule.final - 1.0) * progress(step, warmup, last);
    case ScheduleKind::Wsd: {
      const std::int64_t stable_end =
          std::max<std::int64_t>(warmup, last - share(schedule.decay, schedule.decay_steps));
      return decayed(schedule.decay_shape, schedule.final, progress(step, stable_end, last));
    }
    case ScheduleKind::Cyclic:
      return cyclic(schedule, step, warmup, steps);
    case ScheduleKind::MultiStep:
      return multi_step(schedule, step, steps);
    case ScheduleKind::Rewarmup:
      return rewarmup(schedule, step, warmup, steps);
  }
  return 1.0;
}

void AnnealingAreas::add(double rate) {
  if (started) {
    momentum = kLambda * momentum + last_rate - rate;
    s2 += momentum;
  }
  started = true;
  last_rate = rate;
  s1 += rate;
}

}  // namespace bitlaw
