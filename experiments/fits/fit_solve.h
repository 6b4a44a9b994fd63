#pragma once

#include <string>
#include <vector>

#include "core/record/fit_record.h"
#include "experiments/fits/fit_data.h"

namespace bitlaw {

/// One fit with what it was made from.
struct FittedData {
  FitRecord fit;
  FitData data;
  std::vector<double> held_out_predicted;  ///< [held_out]
};

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
