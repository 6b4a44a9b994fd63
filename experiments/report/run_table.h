#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/record/run_record.h"

namespace bitlaw {

/// A row for each run: its scalars (core/record/run_fields.h), the configuration keys that differ between the runs as
/// "config.<key>", wall_seconds. What is missing is empty in CSV (RFC 4180) and null in JSON, a list of objects.
/// Numbers read back as the same bits.
std::string runs_csv(std::span<const RunRecord> runs);
std::string runs_json(std::span<const RunRecord> runs);

/// What tells each run apart from the others, "kind=cosine, seed=1": the configuration keys that YAML has and that
/// differ between the runs, the last word of each where that is enough.
std::vector<std::string> run_labels(std::span<const RunRecord> runs);

}  // namespace bitlaw
