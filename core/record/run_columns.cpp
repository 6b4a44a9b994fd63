#include "core/record/run_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <set>

#include "core/record/run_fields.h"

namespace bitlaw {
namespace {

/// How a member of type T lies in the file.
template <typename T>
struct StoredAs {
  using type = T;
};
template <>
struct StoredAs<bool> {
  using type = std::int8_t;
};

/// The values of one key over the runs; null where a run lacks it.
using KeyValues = std::vector<const ConfigValue*>;

KeyValues values_of_key(std::span<const RunRecord> runs, const std::string& key) {
  KeyValues values;
  for (const RunRecord& run : runs) {
    const auto found = run.config.find(key);
    values.push_back(found == run.config.end() ? nullptr : &found->second);
  }
  return values;
}

/// Equality that also holds for NaN and tells -0 from 0, so that nothing is lost by storing a value once.
bool same_value(const ConfigValue& a, const ConfigValue& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x != nullptr && y != nullptr) return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*y);
  return a == b;
}

bool is_common(const KeyValues& values) {
  return std::all_of(values.begin(), values.end(), [&](const ConfigValue* value) {
    return value != nullptr && values.front() != nullptr && same_value(*value, *values.front());
  });
}

std::string text_of_value(const ConfigValue* value) {
  if (value == nullptr) return "";
  return std::visit([](const auto& v) { return fmt::format("{}", v); }, *value);
}

double number_of(const ConfigValue* value) {
  if (value == nullptr) return std::numeric_limits<double>::quiet_NaN();
  if (const auto* integer = std::get_if<std::int64_t>(value)) return static_cast<double>(*integer);
  if (const auto* truth = std::get_if<bool>(value)) return *truth ? 1.0 : 0.0;
  return std::get<double>(*value);
}

template <typename T>
std::size_t count_of(const KeyValues& values) {
  return static_cast<std::size_t>(std::count_if(values.begin(), values.end(), [](const ConfigValue* value) {
    return value != nullptr && std::holds_alternative<T>(*value);
  }));
}

template <typename T, typename Convert>
std::vector<T> converted(const KeyValues& values, Convert convert) {
  std::vector<T> result;
  for (const ConfigValue* value : values) result.push_back(convert(value));
  return result;
}

Column::Values typed_values(const KeyValues& values) {
  const std::size_t missing = static_cast<std::size_t>(std::count(values.begin(), values.end(), nullptr));
  const std::size_t truths = count_of<bool>(values), integers = count_of<std::int64_t>(values);
  const std::size_t numbers = count_of<double>(values) + integers;
  if (truths == values.size()) {
    return converted<std::int8_t>(values,
                                  [](const ConfigValue* v) { return static_cast<std::int8_t>(std::get<bool>(*v)); });
  }
  if (integers == values.size()) {
    return converted<std::int64_t>(values, [](const ConfigValue* v) { return std::get<std::int64_t>(*v); });
  }
  if (truths + missing == values.size() || numbers + missing == values.size())
    return converted<double>(values, number_of);
  return converted<std::string>(values, text_of_value);
}

std::set<std::string> all_keys(std::span<const RunRecord> runs) {
  std::set<std::string> keys;
  for (const RunRecord& run : runs) {
    for (const auto& [key, value] : run.config) keys.insert(key);
  }
  return keys;
}

}  // namespace

std::vector<Column> run_columns(std::span<const RunRecord> runs) {
  std::vector<Column> columns;
  for_each_field(kRunFields, [&]<typename T>(const Field<RunRecord, T>& field) {
    std::vector<typename StoredAs<T>::type> values;
    for (const RunRecord& run : runs) values.push_back(run.*field.member);
    columns.push_back({field.name, {field.long_name, field.units}, std::move(values)});
  });
  return columns;
}

std::vector<Column> varying_config_columns(std::span<const RunRecord> runs) {
  std::vector<Column> columns;
  for (const std::string& key : all_keys(runs)) {
    const KeyValues values = values_of_key(runs, key);
    if (is_common(values)) continue;
    columns.push_back({"config." + key, {fmt::format("configuration key {}", key), "1"}, typed_values(values)});
  }
  return columns;
}

std::map<std::string, ConfigValue> common_config(std::span<const RunRecord> runs) {
  std::map<std::string, ConfigValue> common;
  if (runs.empty()) return common;
  for (const auto& [key, value] : runs.front().config) {
    if (is_common(values_of_key(runs, key))) common[key] = value;
  }
  return common;
}

}  // namespace bitlaw
