#pragma once

#include <span>

#include "core/base/limits.h"
#include "core/record/fit_record.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// The error of a quantity that follows from a fit's parameters.
struct DeltaError {
  double standard_error = kNan;
  double freedom = kNan;  ///< degrees of freedom of its square

  /// Student's t for a two-sided interval of `level`.
  double quantile(double level) const;
};

/// By the delta method from the record's covariance, of a quantity with derivatives `slopes` [p] by the parameters in
/// fitted coordinates. NaNs where the fit has no covariance, or none of a parameter that the quantity depends on.
///
/// The degrees of freedom are those of variance_freedom(), runs - parameters where the record has no form for them.
DeltaError delta_error(const Law& law, const FitRecord& fit, std::span<const double> slopes);

}  // namespace bitlaw
