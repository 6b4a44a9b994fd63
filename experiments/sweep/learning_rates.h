#pragma once

#include <vector>

#include "core/record/run_record.h"

namespace bitlaw {

/// The learning rate of every step 0 .. T - 1 of the schedule that a run was asked for, from its record alone; a step
/// that loss scaling skipped, or that an early stop left out, has its rate like any other.
///
/// InputError where the record lacks the keys of the schedule, or the file that it names (training.schedule.file) is
/// missing or has changed since.
std::vector<double> learning_rates(const RunRecord& run);

}  // namespace bitlaw
