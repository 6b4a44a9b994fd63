#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/record/fit_record.h"
#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// Patterns in the residuals [n], observed less predicted, in log unless the objective has plain ones.
///
/// Rows of a run (Observations::cluster) share its noise, so ten of them are not ten observations. For each input that
/// varies and for D/N the runs' mean residuals are tested, with ten runs or more, by rank correlation (Spearman) with
/// it, "trend", and with the distance from the middle of its ranks, "bend"; between formats (Observations::format) with
/// three runs or more by the ranks' means, "groups" (Kruskal & Wallis 1952). Ranks are the same for an input and its
/// logarithm. Empty below ten observations.
///
/// Where an input varies within three runs or more and the residuals' Jacobian [n, p] is given, "trend within runs" and
/// "bend within runs" are correlations of its ranks in each run with the residuals less the run's mean and less what
/// other parameters would explain of that (a fit that follows the runs' noise is off along each of them). Their
/// probability is that of so many runs agreeing, whatever the noise along a run (Ibragimov & Müller 2010).
std::vector<ResidualTest> residual_tests(const Law& law, const Observations& observations,
                                         std::span<const double> residuals, std::span<const double> jacobian = {});

/// Where the law's form does not fit: one sentence for each input, D/N and format whose strongest test has a
/// probability that would give a false alarm in 1 % of fits, all tests together.
std::vector<std::string> residual_warnings(const std::vector<ResidualTest>& tests);

/// Cook's distances [n] of a least-squares fit of q parameters: w r^2 / (q s^2) h / (1 - h)^2 with s^2 = sum w r^2 /
/// (n - q), leverages h [n] and weights w [n]. Cook 1977, doi 10.2307/1268249.
std::vector<double> cook_distances(std::span<const double> residuals, std::span<const double> leverage,
                                   std::span<const double> weights, std::size_t q);

/// What the estimates change by without one run each, in standard errors [runs, p]; NaN where there is no error.
std::vector<double> shifts_without_run(std::span<const double> estimates, std::span<const double> optimum,
                                       std::span<const double> errors);

/// Runs without which a parameter moves by more than one of its standard errors, the strongest three. shifts [runs, p]
/// from shifts_without_run(), runs: names in their order.
std::vector<std::string> influence_warnings(const Law& law, std::span<const std::string> runs,
                                            std::span<const double> shifts);

}  // namespace bitlaw
