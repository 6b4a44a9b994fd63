#pragma once

#include <string>

#include "core/record/fit_record.h"

namespace bitlaw {

/// A fit as one JSON object: `objective`, the sum that was minimized; `status`, "converged", "not converged" or
/// "refused"; `parameters`, each with estimate, se, ci95 and more; `at_bound`, the names of those on a bound;
/// condition_number, covariance, warnings, starts_agreeing, `metrics` by split or curve. NaN becomes null.
std::string fit_to_json(const FitRecord& fit);

/// What predictions need of such an object: law, equation, estimates, covariance, noise and so on; no draws and no
/// observations. InputError, which `place` starts, for a text that is none.
FitRecord fit_from_json(const std::string& text, const std::string& place);

}  // namespace bitlaw
