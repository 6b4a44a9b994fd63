#pragma once

#include "experiments/sweep/run_draft.h"
#include "simulators/train/task_factory.h"

namespace bitlaw {

/// InputError, at the value that is to blame, when the model cannot be built, a value does not go with another, or the
/// corpus is shorter than a window. `config` is what `draft` resolves to.
void check_run(const RunDraft& draft, const TrainConfig& config, const TaskData& data);

/// The same when a recipe, the run's own or one of its shadows, does not fit the model.
void check_recipes(const RunDraft& draft, const TrainConfig& config, const TaskData& data);

}  // namespace bitlaw
