#pragma once

#include <vector>

#include "core/record/fit_record.h"
#include "fitting/fit/fit.h"
#include "fitting/fit/multi_start.h"
#include "fitting/fit/objective.h"
#include "fitting/fit/observations.h"

namespace bitlaw {

/// Which parameters a fit holds.
struct Held {
  std::vector<bool> fixed;     ///< [p]
  std::vector<double> fitted;  ///< [p] the value where fixed
};

/// Estimates, predictions and the solver's verdict.
void store_optimum(FitRecord& record, const Objective& objective, const MultiStart& starts,
                   const Observations& observations, const Held& held);

/// Intervals by every method asked for, derived quantities, and what covariance and residuals warn of.
void store_uncertainty(FitRecord& record, const Objective& objective, const std::vector<double>& fitted,
                       const Observations& observations, const FitOptions& options, const Held& held);

}  // namespace bitlaw
