#pragma once

#include <functional>
#include <span>

#include "core/record/fit_record.h"
#include "fitting/laws/law.h"
#include "fitting/predict/bands.h"

namespace bitlaw {

/// A positive quantity that follows from a fit, such as a best size, and where it may lie.
struct Quantity {
  double value = 0;
  Band interval;  ///< of FitRecord::level; NaN where the fit knows no uncertainty
  bool from_draws = false;
};

/// `value_of` at the fit's estimates. The interval is the percentiles over the bootstrap's draws where the fit has
/// some; else the delta method on its logarithm, with delta_error(). The percentiles are plain: a fit's own intervals
/// are widened for what it followed of the noise and calibrated by second draws, which a file does not keep. Draws for
/// which there is no such quantity (NaN, infinity) count as infinite: where too many are, the interval is open above.
Quantity quantity_of(const Law& law, const FitRecord& fit,
                     const std::function<double(std::span<const double> natural)>& value_of);

}  // namespace bitlaw
