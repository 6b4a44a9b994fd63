#include "simulators/optim/stable_spam.h"

#include <algorithm>
#include <cmath>

#include "simulators/optim/adamw.h"

namespace bitlaw {
namespace {

/// mean <- gamma mean + (1 - gamma) value; returns it without the bias of its start.
double follow(float& mean, double gamma, double value, std::int64_t step) {
  mean = static_cast<float>(gamma * static_cast<double>(mean) + (1.0 - gamma) * value);
  return static_cast<double>(mean) / (1.0 - power(gamma, step + 1));
}

}  // namespace

void calm_gradient(const StableSpamConfig& config, std::int64_t step, SpikeStatistics& statistics, std::span<float> g) {
  float largest = 0;
  for (const float v : g) largest = std::max(largest, std::abs(v));
  const double limit = follow(statistics.largest, config.gamma3, static_cast<double>(largest), step);
  if (static_cast<double>(largest) > limit) {
    const auto threshold = static_cast<float>(limit);
    const auto factor = static_cast<float>(limit / static_cast<double>(largest));
    for (float& v : g) v = std::abs(v) > threshold ? v * factor : v;
  }
  const double norm = gradient_norm<float>(g);
  const double mean = follow(statistics.norm, config.gamma1, norm, step);
  const double square = follow(statistics.square_norm, config.gamma2, norm * norm, step);
  if (norm == 0) return;
  const auto factor = static_cast<float>(mean / (std::sqrt(square) + 1e-8) / norm);
  for (float& v : g) v *= factor;
}

}  // namespace bitlaw
