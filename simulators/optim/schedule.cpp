#include "simulators/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bitlaw {
namespace {

/// How far `step` lies between `first` (0) and `last` (1).
double progress(std::int64_t step, std::int64_t first, std::int64_t last) {
  if (last <= first) return step < first ? 0.0 : 1.0;
  return std::clamp(static_cast<double>(step - first) / static_cast<double>(last - first), 0.0, 1.0);
}

}  // namespace

double schedule_factor(const ScheduleConfig& schedule, std::int64_t step, std::int64_t steps) {
  const auto share = [steps](double fraction) { return std::llround(fraction * static_cast<double>(steps)); };
  const std::int64_t warmup = share(schedule.warmup);
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  const std::int64_t last = steps - 1;
  switch (schedule.kind) {
    case ScheduleConfig::Kind::Constant:
      return 1.0;
    case ScheduleConfig::Kind::Cosine:
      return schedule.final +
             (1.0 - schedule.final) * 0.5 * (1.0 + std::cos(std::numbers::pi * progress(step, warmup, last)));
    case ScheduleConfig::Kind::Linear:
      return 1.0 + (schedule.final - 1.0) * progress(step, warmup, last);
    case ScheduleConfig::Kind::Wsd: {
      const std::int64_t stable_end = std::max<std::int64_t>(warmup, last - share(schedule.decay));
      return 1.0 + (schedule.final - 1.0) * progress(step, stable_end, last);
    }
  }
  return 1.0;
}

}  // namespace bitlaw
