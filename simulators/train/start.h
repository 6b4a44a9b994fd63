#pragma once

#include <string>
#include <vector>

#include "simulators/train/checkpoint.h"
#include "simulators/train/train_config.h"

namespace bitlaw {

/// Names and shapes of a model's parameters, as checkpoints have them.
std::vector<ParameterShape> shapes_of(const std::vector<Parameter>& layout);

/// What config.start_from holds for a run of this model. InputError, with the remedy, where the run cannot start from
/// it: another parameter by name or shape, and, unless it takes the weights alone, another kind of optimizer, a mean of
/// the weights on one side only, or no step left.
TrainState starting_state(const TrainConfig& config, const std::vector<ParameterShape>& model);

/// content_fingerprint() of a checkpoint to start from. InputError when there is none or it is damaged.
std::string start_fingerprint(const std::string& path);

}  // namespace bitlaw
