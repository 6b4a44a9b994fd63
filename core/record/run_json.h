#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/record/run_record.h"

namespace bitlaw {

/// A run as JSON text of one line: the file result.json that each finished run leaves.
///
/// Finite numbers come back bit for bit; NaN is written as null, an infinity as {"infinity": 1} or {"infinity": -1},
/// since JSON has neither. Text that is not UTF-8 has its invalid bytes replaced by U+FFFD.
std::string run_to_json(const RunRecord& run);

/// The inverse. InputError, which starts with `place`, when the text is not a complete run.
RunRecord run_from_json(std::string_view text, std::string_view place = "result.json");

/// The configuration alone: {"model.width": 64, "recipe": "mxfp4"}.
std::string config_to_json(const std::map<std::string, ConfigValue>& config);
std::map<std::string, ConfigValue> config_from_json(std::string_view text, std::string_view place);

/// Parts alone, as in a run: for checkpoints.
std::string curve_to_json(const std::vector<CurvePoint>& curve);
std::vector<CurvePoint> curve_from_json(std::string_view text, std::string_view place);
std::string statistics_to_json(const RunStatistics& statistics);
RunStatistics statistics_from_json(std::string_view text, std::string_view place);

}  // namespace bitlaw
