#pragma once

#include "experiments/sweep/run_draft.h"
#include "simulators/train/task_factory.h"

namespace bitlaw {

/// InputError, at the value that is to blame, when the model cannot be built, the recipe does not fit it, or the
/// corpus is shorter than a window.
void check_run(const RunDraft& draft, const TaskData& data);

}  // namespace bitlaw
