#pragma once

#include <string>

#include "core/record/run_record.h"

namespace bitlaw {

/// A run's curve as CSV, as laws of the learning rate take it: step, lr, train_loss, validation_loss, a row for each
/// step of the schedule, those too whose losses were not recorded, which are empty. InputErrors of learning_rates().
std::string curve_csv(const RunRecord& run);

}  // namespace bitlaw
