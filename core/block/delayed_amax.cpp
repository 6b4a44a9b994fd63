#include "core/block/delayed_amax.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"

namespace bitlaw {

bool DelayedAmax::samples(const DelayedScaling& scaling, std::int64_t step) const {
  BITLAW_CHECK(scaling.interval > 0 && scaling.history > 0, "interval {}, history {}", scaling.interval,
               scaling.history);
  return history_.empty() || step % scaling.interval == 0;
}

float DelayedAmax::held(const DelayedScaling& scaling, std::int64_t step, float amax) const {
  if (!history_.empty() && !scaling.uses_current)
    return *std::max_element(history_.begin(), history_.end()) * scaling.margin;
  DelayedAmax next = *this;
  next.add(scaling, step, amax);
  const std::vector<float>& known = next.history_;
  return known.empty() ? amax : *std::max_element(known.begin(), known.end()) * scaling.margin;
}

void DelayedAmax::add(const DelayedScaling& scaling, std::int64_t step, float amax) {
  if (!samples(scaling, step) || !std::isfinite(amax) || amax == 0) return;
  history_.push_back(amax);
  const auto most = static_cast<std::size_t>(scaling.history);
  if (history_.size() > most) history_.erase(history_.begin(), history_.end() - static_cast<std::ptrdiff_t>(most));
}

}  // namespace bitlaw
