#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/enum_name.h"
#include "core/base/error.h"
#include "experiments/sweep/run_draft.h"
#include "simulators/optim/optimizer_config.h"
#include "simulators/optim/schedule.h"

namespace bitlaw {

/// The points of a schedule: a line each, a step and the factor on the peak, with a comma or white space between; empty
/// lines and those that start with # or a letter say nothing. Steps ascend, factors are 0 or more. InputErrors start
/// with the file and line.
std::vector<std::pair<std::int64_t, double>> read_schedule(const std::string& file);

/// What tells the points of a file apart from others.
std::string schedule_fingerprint(const ScheduleConfig& schedule);

/// What a stored tensor's numbers may be.
enum class StoredSign : std::uint8_t {
  Both,
  Positive
};

/// Takes "float32", a block preset or a number format. InputError, with the place, where it cannot hold the tensor.
void set_storage_format(StorageFormat& format, const std::string& name, const SourceLocation& place,
                        const std::string& key, StoredSign sign);

/// The roundings that need no number of bits, by name; the short words first.
std::vector<EnumName<RoundingMode>> storage_roundings();

/// InputError, at the value that is to blame, when parts of `training` do not fit each other.
void check_training(const RunDraft& draft, const TrainConfig& config);

}  // namespace bitlaw
