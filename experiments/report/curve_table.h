#pragma once

#include <string>

#include "core/record/run_record.h"
#include "simulators/train/train_config.h"

namespace bitlaw {

/// A run's curve as CSV, as laws of the learning rate take it: step, lr, train_loss, validation_loss, a row for each
/// step of the schedule, those too whose losses were not recorded, which are empty. `config` is what the run was
/// trained with. A step that loss scaling skipped has its rate like any other.
std::string curve_csv(const RunRecord& run, const TrainConfig& config);

}  // namespace bitlaw
