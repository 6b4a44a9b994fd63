#pragma once

#include <memory>
#include <vector>

#include "fitting/laws/law.h"
#include "fitting/laws/schedule.h"

namespace bitlaw {

/// The multi-power law for the runs of the given schedules; its inputs are ("curve", "step"), a schedule's number and a
/// step of it.  Luo et al. 2025, arXiv:2503.12811, Eq. 2:
///
///   L(t) = L_0 + A S1(t)^-alpha - B sum_{k=1..t} (eta_{k-1} - eta_k) (1 - (1 + C eta_k^-gamma S_k(t))^-beta),
///   S1(t) = sum_{i<=t} eta_i, S_k(t) = sum_{i=k..t} eta_i, the real warm-up in every sum, as in the authors' code.
///
/// Learning rates must be positive from step 1. Changes further than 256 steps back are gathered in blocks of 64 steps,
/// each with rates within a fifth replaced by two points with its first four moments of S; with up to 72,000 changes
/// for each of hundreds of observations the exact sum (block = 1) takes 30 times as long. The difference is below 1e-7
/// of the loss on the published curves.
std::unique_ptr<Law> multi_power_law(std::vector<Schedule> schedules, int block = 64);

}  // namespace bitlaw
