#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/record/run_record.h"

namespace bitlaw {

/// The configuration key that task_of() reads.
inline constexpr const char* kTaskKey = "task";

/// What a run was trained for, "regression"; "language_model" where the configuration has no task, as that of a
/// language model.
std::string task_of(const RunRecord& run);

/// The tasks of the runs, each once, in order of their first run. Losses of two tasks are different quantities.
std::vector<std::string> tasks_of(std::span<const RunRecord> runs);

/// The fingerprints of the runs' corpora, likewise; runs whose data come from no corpus have none.
std::vector<std::string> corpora_of(std::span<const RunRecord> runs);

/// "2 corpora (1f0c22ab, 90e1b6d3)"; empty for fewer than two. Of more than four only four are named.
std::string several_corpora_text(std::span<const RunRecord> runs);

}  // namespace bitlaw
