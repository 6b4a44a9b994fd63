#pragma once

#include <vector>

#include "core/record/sweep_file.h"
#include "experiments/report/figure.h"

namespace bitlaw {

/// Loss against N, a panel per D, and against D, a panel per N: the runs, and over them the law fitted to the fewest
/// precisions that include theirs. Both axes logarithmic.
Figure loss_against_params(const SweepFile& sweep);
Figure loss_against_tokens(const SweepFile& sweep);

/// Mean penalty against the baseline by N and by D, over all pairs of runs, with its standard error. No panels without
/// a baseline.
Figure penalty_against_params(const SweepFile& sweep);
Figure penalty_against_tokens(const SweepFile& sweep);

/// (observed / predicted - 1) in percent against N, against D and by precision. No panels without observations.
std::vector<Figure> residual_figures(const SweepFile& sweep, const FitRecord& fit);

}  // namespace bitlaw
