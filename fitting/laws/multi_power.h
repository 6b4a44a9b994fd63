#pragma once

#include <memory>
#include <span>
#include <vector>

#include "fitting/laws/law.h"
#include "fitting/laws/schedule.h"

namespace bitlaw {

/// How the sum over steps is formed.
enum class RateSum {
  Gathered,  ///< changes far back are gathered in blocks, see rate_changes.h: the same to 1e-9 of the loss
  Exact,     ///< step by step, up to 72,000 terms for each observation
};

/// The multi-power law for the runs of the given schedules; its inputs are ("curve", "step"), a schedule's number and a
/// step of it.  Luo et al. 2025, arXiv:2503.12811, Eq. 2:
///
///   L(t) = L_0 + A S1(t)^-alpha - B sum_{k=1..t} (eta_{k-1} - eta_k) (1 - (1 + C eta_k^-gamma S_k(t))^-beta),
///   S1(t) = sum_{i<=t} eta_i, S_k(t) = sum_{i=k..t} eta_i, the real warm-up in every sum, as in the authors' code.
///
/// Learning rates must be positive from step 1.
std::unique_ptr<Law> multi_power_law(const std::vector<Schedule>& schedules, RateSum sum = RateSum::Gathered);

/// The law's loss after the last step of one schedule, by the exact sum, for searches over schedules, of which each is
/// asked once. slopes [T + 1], unless empty: its derivatives by every rate.
double multi_power_last_loss(std::span<const double> natural, const Schedule& schedule, std::span<double> slopes);

}  // namespace bitlaw
