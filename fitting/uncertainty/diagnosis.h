#pragma once

#include <span>
#include <string>
#include <vector>

#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// Where the law's form does not fit: one sentence for each input (and D/N) in which the residuals [n], observed over
/// predicted in log, still have a trend. Tested by rank correlation (Spearman) with each input and with its distance
/// from the middle of its ranks (a bend), at a false-alarm probability of 1 % over all tests together.
std::vector<std::string> residual_warnings(const Law& law, const Observations& observations,
                                           std::span<const double> residuals);

/// Runs without which a parameter moves by more than one of its standard errors, the strongest three. estimates
/// [runs, p] from leave_one_out(), optimum [p] and errors [p] in fitted coordinates, runs: names in their order.
std::vector<std::string> influence_warnings(const Law& law, std::span<const std::string> runs,
                                            std::span<const double> estimates, std::span<const double> optimum,
                                            std::span<const double> errors);

}  // namespace bitlaw
