#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fitting/fit/huber_objective.h"

namespace bitlaw {

/// Refits to runs drawn with replacement, as many as there are: estimates [count, p] row-major, natural coordinates.
///
/// A run (cluster) is drawn with all its rows, because rows of one run share its noise. Each refit starts at `optimum`
/// [p], fitted coordinates; `fixed` [p] parameters stay there. Draw d uses the Philox stream (seed, step d), so the
/// result is a function of its arguments without `threads`.
std::vector<double> bootstrap_by_run(const HuberObjective& objective, const std::vector<double>& optimum,
                                     const std::vector<bool>& fixed, std::span<const std::string> clusters, int count,
                                     std::uint64_t seed, int threads);

/// The middle `level` of the finite values: quantiles (1 -+ level) / 2, interpolated linearly between order statistics.
/// NaNs when no value is finite.
std::pair<double, double> percentile_interval(std::vector<double> values, double level);

}  // namespace bitlaw
