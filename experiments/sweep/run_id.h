#pragma once

#include <map>
#include <string>

#include "core/record/run_record.h"
#include "simulators/train/task_factory.h"

namespace bitlaw {

/// Part of every run id. Raised when a change of the code changes the bits of a run, so that old results are not taken
/// for new ones.
inline constexpr int kNumericalEpoch = 3;

/// Every key that decides the run, defaults included and keys without meaning left out: config_keys(), `precision`
/// (the recipe's name), `precision.<slot>` (what it does) and the fingerprints of files. `config` has been resolved.
std::map<std::string, ConfigValue> resolved_values(const TrainConfig& config, const TaskData& data);

/// Fingerprint of the values and kNumericalEpoch. Names do not count: neither the recipe's, since its slots do, nor
/// those of files, since the fingerprints of their content do.
std::string run_id(const std::map<std::string, ConfigValue>& resolved);

}  // namespace bitlaw
