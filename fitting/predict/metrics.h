#pragma once

#include <string>
#include <vector>

#include "core/record/fit_record.h"
#include "fitting/fit/observations.h"

namespace bitlaw {

/// How well predictions meet observations, both [n], under a name. NaNs for n = 0.
///
///   r2 = 1 - sum (y - f)^2 / sum (y - mean y)^2,  mae = mean |y - f|,  rmse = sqrt(mean (y - f)^2),
///   relative_mean and relative_worst = mean and max |y - f| / y,  log_rmse = sqrt(mean (log y - log f)^2)
FitMetrics metrics_of(std::string name, const std::vector<double>& observed, const std::vector<double>& predicted);

/// One entry for all `observations` under `split`; where they come from two or more clusters ("curves"), also one for
/// each of these, and their mean as "<split>_mean_of_curves". A curve that is called as a
/// split ("train", "test", "data") or as such a mean is "curve train" and so on here.
std::vector<FitMetrics> metrics_by_curve(const std::string& split, const Observations& observations,
                                         const std::vector<double>& predicted);

}  // namespace bitlaw
