#pragma once

#include <span>

#include "core/record/fit_record.h"
#include "fitting/fit/objective.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// Two ends; NaN where there is no such interval.
struct Band {
  double low, high;
};

/// What a fitted law says of one set of inputs.
struct Prediction {
  double value;           ///< at the estimates [nat/token]
  double standard_error;  ///< of the value, delta method
  Band confidence;        ///< for the law's value: delta method, Student's t
  Band prediction;        ///< for the loss of one new run: the same and the fit's noise
  Band confidence_draws;  ///< for the law's value: percentiles over the bootstrap draws
  Band prediction_draws;  ///< for one new run: each draw's value with residuals of the fit
};

/// Bands of `level`. They are symmetric in log loss where residuals are logarithms, else in loss. The delta method uses
/// the record's covariance, degrees of freedom as delta_error() has them, and noise; the last two bands its draws,
/// observed and predicted, and are NaN without. None knows of the law's form being wrong, so far from the runs they are
/// too narrow. inputs [law.inputs()].
Prediction predict_with_bands(const Law& law, const FitRecord& fit, std::span<const double> inputs, Residual residual,
                              double level = 0.95);

}  // namespace bitlaw
