#pragma once

#include <string>
#include <vector>

#include "experiments/cli/fit_data.h"
#include "experiments/cli/fit_output.h"

namespace bitlaw {

/// Fits every group of the problem, by --outliers mad=K twice, and scores the fit on what it was made from ("train")
/// and on what was held out ("test").
std::vector<FittedData> solve(const FitProblem& problem, const FitRequest& request, int threads);

/// A law's predictions, [observations].
std::vector<double> predictions_of(const Law& law, const std::vector<double>& natural,
                                   const Observations& observations);

/// How well they meet the observations; of curves, each curve's, too.
std::vector<FitMetrics> metrics_of_split(const std::string& split, const FitProblem& problem,
                                         const Observations& observations, const std::vector<double>& predicted);

}  // namespace bitlaw
