#include "simulators/task/noise_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bitlaw {

NoiseLevels noise_levels(NoiseSchedule schedule, int times) {
  const auto cosine = [&](int t) {
    const double c = std::cos(std::numbers::pi / 2 * (static_cast<double>(t) / times + 0.008) / 1.008);
    return c * c;
  };
  NoiseLevels levels;
  double kept = 1;
  for (int t = 1; t <= times; ++t) {
    if (schedule == NoiseSchedule::Cosine) {
      kept = cosine(t) / cosine(0);
    } else {
      const double along = times > 1 ? static_cast<double>(t - 1) / (times - 1) : 0;
      kept *= 1 - (0.1 + along * (20 - 0.1)) / times;
    }
    levels.signal.push_back(std::sqrt(std::max(kept, 0.0)));
    levels.noise.push_back(std::sqrt(1 - kept));
  }
  return levels;
}

}  // namespace bitlaw
