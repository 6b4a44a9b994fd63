#pragma once

#include <span>

#include "fitting/predict/schedule_law.h"
#include "fitting/predict/schedule_search.h"

namespace bitlaw {

/// The best of all schedules that do not rise after the warm-up.
struct FreeSchedule {
  Schedule schedule;  ///< [T + 1]
  double loss = 0;    ///< after the last step [nat/token]
  /// Frank and Wolfe's gap: what the loss, were it linear in the rates, could still fall. A law of S1 and S2 is convex
  /// in them, so its least loss is at most this far below; of multi_power it only says how flat the loss is there.
  double gap = 0;
  bool converged = false;

  /// The step from which on the rate is below 0.99 of the peak.
  int decay_from(double peak) const;
};

/// The rates behind the warm-up, from the frame's peak down to its least rate, that make the loss after the last step
/// least: over all drops at once, d_k = (peak - least) x_k^2 / sum x^2 (one more x is for what does not drop), from the
/// `start`'s drops mixed with equal ones, by L-BFGS; first of 16 blocks of steps that fall evenly, then of four times
/// as many, up to one for each step. Where that ends above the start, the start. Luo et al. 2025, arXiv:2503.12811,
/// Section 5, minimize the same.
///
/// Without the frame's peak and a rate that does not rise the problem has no minimum: an infinite first rate and zeros
/// behind it give a loss of minus infinity.
FreeSchedule free_schedule(const ScheduleLaw& law, std::span<const double> natural, const ScheduleFrame& frame,
                           const Schedule& start);

}  // namespace bitlaw
