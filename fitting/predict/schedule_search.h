#pragma once

#include <optional>
#include <span>
#include <vector>

#include "fitting/laws/schedule.h"
#include "fitting/predict/schedule_law.h"

namespace bitlaw {

/// What is held while a schedule is searched for. A higher peak and more steps lower the loss of every law of the
/// learning rate, without an end, so neither is searched for.
struct ScheduleFrame {
  double peak = 0;
  double least = 0;             ///< rate below which none goes, above 0
  int warmup = 0;               ///< steps
  int steps = 0;                ///< T
  std::optional<double> end{};  ///< the last rate, held
  std::optional<int> decay{};   ///< steps of the decay, held; of a cosine its length
};

/// The best schedule of a shape.
struct BestSchedule {
  ScheduleSpec spec;
  double loss = 0;                                 ///< after the last step [nat/token]
  bool decay_at_end = false, rate_at_end = false;  ///< at an end of what was searched

  /// Steps from the peak to the end; of a cosine to its length, which may lie beyond the last step.
  int decay() const;
};

/// InputError, with the reason, for a frame within which the laws' least loss means nothing.
void check_frame(const ScheduleLaw& law, const ScheduleFrame& frame);

/// The decay and the last rate with the least loss after the last step. Searched are decays from 1 step to all behind
/// the warm-up, for a cosine lengths from half to four times of that, on a logarithmic grid and then by halved steps
/// down to 1; and for each the last rate from `least` to the peak, on a grid and then by Brent's method to 1e-6 of the
/// peak.
BestSchedule best_schedule(const ScheduleLaw& law, std::span<const double> natural, const ScheduleFrame& frame,
                           ScheduleShape shape);

}  // namespace bitlaw
