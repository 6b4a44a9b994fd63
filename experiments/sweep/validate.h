#pragma once

#include <optional>
#include <string>

#include "experiments/sweep/run_draft.h"
#include "simulators/train/task_factory.h"

namespace bitlaw {

/// InputError, at the value that is to blame, when the model cannot be built, a value does not go with another, or the
/// corpus is shorter than a window. `config` is what `draft` resolves to.
void check_run(const RunDraft& draft, const TrainConfig& config, const TaskData& data);

/// The same when a recipe, the run's own or one of its shadows, does not fit the model.
void check_recipes(const RunDraft& draft, const TrainConfig& config, const TaskData& data);

/// A warning where the run is given more training.eval_tokens than its data hold out, which are then all that its loss
/// is the mean over.
std::optional<std::string> capped_evaluation(const RunDraft& draft, const TrainConfig& config, const TaskData& data);

}  // namespace bitlaw
