#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "fitting/fit/fit.h"
#include "fitting/uncertainty/synthetic_runs.h"
#include "simulators/test_time/traces.h"

namespace bitlaw {

/// Scored answers as observations of the law `accuracy`, inputs N and T.
///
/// Tasks are put into `batches` by their number, as many as there are tasks or kMostBatches. A row is the accuracy of
/// an answerer within a number of tokens, mean over the batch's tasks that it answered, weighted by how many these are;
/// an answer that is longer scores 0. All rows of a batch are one cluster: models share its tasks, and limits its
/// answers, so their errors go together, and batches are what intervals must rest on.
///
/// @param answerers which of the traces', each with `params` [answerers], its N
/// @param limits numbers of tokens T
/// InputError for an answer whose length is not given.
Observations accuracy_observations(const Traces& traces, std::span<const std::size_t> answerers,
                                   std::span<const double> params, std::span<const double> limits);
inline constexpr std::size_t kMostBatches = 100;

/// Eight lengths that 5 to 95 % of the answerers' answers do not exceed, equally spaced in between; fewer where they
/// are equal. Beyond them, where a run may have been cut, accuracy says nothing of lengths.
std::vector<double> usual_token_limits(const Traces& traces, std::span<const std::size_t> answerers);

/// A warning where the accuracies of some size and length, over all batches, are not the law's: further than 4 standard
/// errors from what a fit to accuracy_observations() `predicted` [rows].
std::vector<std::string> form_warnings(const Observations& observations, std::span<const double> predicted);

/// Least squares of the accuracies themselves.
ObjectiveSpec accuracy_objective();

/// For measure_coverage(): 200 tasks of task_family.h, whose lengths do not go with difficulty, with 8 answers of each
/// of the six built-in models, cut at 5 lengths.
SyntheticDesign accuracy_design();

}  // namespace bitlaw
