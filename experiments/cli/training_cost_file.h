#pragma once

#include <string>

#include "fitting/predict/optimum.h"

namespace bitlaw {

/// A cost model in YAML: a formula of N, D, P [bits of an operand] and of names that the file gives numbers.
///
///     cost: k * (P + b) * N * D     # FLOP of 16-bit products
///     names: {k: 0.375, b: 2}
///
/// InputError "file:line:column: ..." where it is none, where a name has no number or is not used, and where the cost
/// is not positive or does not rise with N and with D.
TrainingCost read_training_cost(const std::string& file);

}  // namespace bitlaw
