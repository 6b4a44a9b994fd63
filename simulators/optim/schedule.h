#pragma once

#include <cstdint>

namespace bitlaw {

/// Learning rate over training, as a fraction of the peak. All start with a linear warmup.
struct ScheduleConfig {
  enum class Kind : std::uint8_t {
    Constant,  ///< 1
    Cosine,    ///< from 1 to `final` along half a cosine
    Linear,    ///< from 1 to `final` along a line
    Wsd,       ///< 1, then linearly to `final` over the last `decay` of training (warmup-stable-decay)
  };
  Kind kind = Kind::Cosine;
  double warmup = 0.05;  ///< fraction of the steps
  double decay = 0.2;    ///< fraction of the steps, Wsd only
  double final = 0.1;    ///< of the peak
};

/// The factor for step 0 .. steps - 1. With w = round(warmup steps): (step + 1) / w while step < w; afterwards the
/// kind's curve, which takes 1 at step w and `final` at the last step.
double schedule_factor(const ScheduleConfig& schedule, std::int64_t step, std::int64_t steps);

}  // namespace bitlaw
