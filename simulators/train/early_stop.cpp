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
  return is_level() ? std::optional(StopReason::Plateau) : std::nullopt;
}

bool EarlyStop::is_level() const {
  const std::int64_t n = config_.plateau;
  if (n == 0 || static_cast<std::int64_t>(losses_.size()) < 2 * n) return false;
  const double before = std::accumulate(losses_.end() - 2 * n, losses_.end() - n, 0.0);
  const double now = std::accumulate(losses_.end() - n, losses_.end(), 0.0);
  return now > (1 - config_.plateau_gain) * before;
}

bool EarlyStop::spends_budget(std::int64_t steps) const {
  return config_.budget > 0 && steps > 0 && static_cast<double>(steps + 1) * flops_per_step_ > config_.budget;
}

}  // namespace bitlaw
