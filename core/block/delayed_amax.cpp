#include "core/block/delayed_amax.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"

namespace bitlaw {

DelayedAmax::DelayedAmax(const DelayedScaling& scaling) : scaling_(scaling) {
  BITLAW_CHECK(scaling.interval > 0 && scaling.history > 0, "interval {}, history {}", scaling.interval,
               scaling.history);
}

float DelayedAmax::held() const { return *std::max_element(samples_.begin(), samples_.end()) * scaling_.margin; }

float DelayedAmax::update(std::int64_t step, float amax) {
  if (!samples(step) || (!std::isfinite(amax) && !samples_.empty())) return held();
  if (!std::isfinite(amax)) return amax;
  const bool is_first = samples_.empty();
  const float before = is_first ? 0 : held();
  samples_.push_back(amax);
  if (samples_.size() > static_cast<std::size_t>(scaling_.history)) samples_.pop_front();
  return scaling_.uses_current || is_first ? held() : before;
}

}  // namespace bitlaw
