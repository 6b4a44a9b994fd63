#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "simulators/model/model_config.h"
#include "simulators/quantized/recipe.h"

namespace bitlaw {

/// Why the recipe's rotations do not fit the model, or nothing: both operands of a product must rotate by the same
/// size with the same kind of signs, and it must divide what the product sums over.
std::optional<std::string> rotation_problem(const Recipe& recipe, const ModelConfig& model,
                                            std::int64_t tokens_per_step);

}  // namespace bitlaw
