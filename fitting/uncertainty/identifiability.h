#pragma once

#include <span>
#include <string>
#include <vector>

#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// What the design of the observations cannot decide, whatever their losses: one sentence each, with the reason and the
/// cheapest run that cures it. Looks for too few values of an input, all runs on one line in (log N, log D), and no
/// quantized run. free [p]: each held parameter of a need lowers the number of values that it asks for by one, and a
/// need whose parameters are all held is skipped.
std::vector<std::string> design_warnings(const Law& law, const Observations& observations,
                                         const std::vector<bool>& free);

/// What the fit itself shows to be undecided: a condition number that says so, with the parameters of the last of the
/// directions [q, p] by name.
std::vector<std::string> curvature_warnings(const Law& law, double condition_number,
                                            std::span<const double> directions);

}  // namespace bitlaw
