#include "simulators/train/early_stop.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bitlaw {

std::optional<StopReason> EarlyStop::after(const CurvePoint& point) {
  const double loss = config_.watch == StopConfig::Watch::Training ? point.train_loss : point.validation_loss;
  if (!std::isfinite(loss)) return std::nullopt;  // not taken; a training loss that is not finite ends the run itself
  const bool diverges = config_.divergence > 0 && !losses_.empty() && loss > config_.divergence * least_;
  least_ = losses_.empty() ? loss : std::min(least_, loss);
  losses_.push_back(loss);
  if (diverges) return StopReason::Divergence;
  if (is_level()) return StopReason::Plateau;
  return is_too_high(point.step) ? std::optional(StopReason::Ceiling) : std::nullopt;
}

double EarlyStop::sum(std::int64_t n, std::int64_t skipped) const {
  return std::accumulate(losses_.end() - skipped - n, losses_.end() - skipped, 0.0);
}

bool EarlyStop::is_level() const {
  const std::int64_t n = config_.plateau;
  if (n == 0 || static_cast<std::int64_t>(losses_.size()) < 2 * n) return false;
  return sum(n, 0) > (1 - config_.plateau_gain) * sum(n, n);
}

bool EarlyStop::is_too_high(std::int64_t step) const {
  const std::int64_t n = config_.ceiling_points;
  if (config_.ceiling == 0 || static_cast<std::int64_t>(losses_.size()) < n) return false;
  if (static_cast<double>(step) < config_.ceiling_from * static_cast<double>(steps_)) return false;
  return sum(n, 0) > config_.ceiling * static_cast<double>(n);
}

bool EarlyStop::spends_budget(std::int64_t steps) const {
  return config_.budget > 0 && steps > 0 && static_cast<double>(steps + 1) * flops_per_step_ > config_.budget;
}

}  // namespace bitlaw
