#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/record/hdf5.h"
#include "core/record/run_record.h"

namespace bitlaw {

/// One variable over the runs. Truth values are stored as 0 and 1.
struct Column {
  using Values = std::variant<std::vector<double>, std::vector<std::int64_t>, std::vector<std::uint64_t>,
                              std::vector<std::int32_t>, std::vector<std::int8_t>, std::vector<std::string>>;
  std::string name;
  hdf5::Meaning meaning;
  Values values;
};

/// The scalars of every run, wall_seconds left out.
std::vector<Column> run_columns(std::span<const RunRecord> runs);

/// One column "config.<key>" for each configuration key that differs between runs or is missing in some.
///
/// Truth values, integers and numbers keep their type when all runs agree on it; integers mixed with numbers become
/// numbers, and a run without the key then counts as NaN; anything else becomes text, empty where missing.
std::vector<Column> varying_config_columns(std::span<const RunRecord> runs);

/// The keys that have one value in all runs, which is all keys of a single run.
std::map<std::string, ConfigValue> common_config(std::span<const RunRecord> runs);

}  // namespace bitlaw
