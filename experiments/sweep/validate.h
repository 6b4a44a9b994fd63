#pragma once

#include "experiments/sweep/run_draft.h"
#include "simulators/task/corpus.h"

namespace bitlaw {

/// InputError, at the value that is to blame, when the model cannot be built, a rotation does not fit it, or the corpus
/// is shorter than a window.
void check_run(const RunDraft& draft, const Corpus& corpus);

}  // namespace bitlaw
