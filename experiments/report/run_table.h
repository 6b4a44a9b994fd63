#pragma once

#include <span>
#include <string>

#include "core/record/run_record.h"

namespace bitlaw {

/// A row for each run: its scalars (core/record/run_fields.h), the configuration keys that differ between the runs as
/// "config.<key>", wall_seconds. What is missing is empty in CSV (RFC 4180) and null in JSON, a list of objects.
/// Numbers read back as the same bits.
std::string runs_csv(std::span<const RunRecord> runs);
std::string runs_json(std::span<const RunRecord> runs);

}  // namespace bitlaw
