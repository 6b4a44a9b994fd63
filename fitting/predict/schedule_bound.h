#pragma once

#include <span>

#include "fitting/laws/schedule.h"

namespace bitlaw {

/// A bound for convex losses, the last iterate of the subgradient method, at base rate 1:
///
///   Omega(gamma) = first / gamma + gamma (second + third)
///   first  = D^2 / (2 sum eta),  second = sum eta_t^2 G_t^2 / (2 sum eta),
///   third  = 1/2 sum_{k=1..T-1} eta_k / (sum_{t>k} eta_t) * (sum_{t>=k} eta_t^2 G_t^2) / (sum_{t>=k} eta_t).
///
/// Schaipp et al. 2025, arXiv:2501.18965, Theorem 1 (from arXiv:2310.07831, Theorem 10), which found that it has the
/// shape of real loss curves: it is for comparing schedules, not a loss.
struct ScheduleBound {
  double first = 0, second = 0, third = 0;

  double best_rate() const;  ///< gamma* = sqrt(first / (second + third)), a factor on the rates given
  double at_best() const;    ///< Omega(gamma*) = 2 sqrt(first (second + third))
};

/// Of rates eta_1 .. eta_T, not below 0, at least one above; zeros at the end are left out, since they move nothing.
/// distance: D = |x_1 - x*|; gradient: G_t, the same for all steps.
ScheduleBound schedule_bound(std::span<const double> rates, double distance = 1, double gradient = 1);

}  // namespace bitlaw
