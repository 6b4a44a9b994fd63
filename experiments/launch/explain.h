#pragma once

#include <string>

#include "experiments/sweep/experiment.h"

namespace bitlaw {

/// What every product of the run's model does in every step: a table of layers, steps and the six slots, in which
/// letters stand for the slot texts below it. Stored with the run as layers.txt.
std::string explain_text(const PlannedRun& run);

}  // namespace bitlaw
