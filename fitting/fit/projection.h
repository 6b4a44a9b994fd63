#pragma once

#include <vector>

#include "fitting/fit/objective.h"

namespace bitlaw {

/// The parameters [p] of a law that are linear and not fixed.
std::vector<std::size_t> affine_parameters(const Law& law, const std::vector<bool>& fixed);

/// `fitted` with the given affine parameters solved for, within their bounds: weighted least squares of the residuals
/// predicted - observed, each over its observation where the objective has log residuals.
std::vector<double> solve_affine(const Objective& objective, std::vector<double> fitted,
                                 const std::vector<std::size_t>& affine);

}  // namespace bitlaw
