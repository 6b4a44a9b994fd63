#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

namespace bitlaw {

/// An enumerator and how people write it, on the command line and in YAML. Where a table has two names for one value,
/// the first is the one that we write.
template <typename Enum>
struct EnumName {
  std::string_view name;
  Enum value;
};

/// The name of `value` in a table of EnumName, which has it.
template <typename Names, typename Enum>
constexpr std::string_view name_of(const Enum& value, const Names& names) {
  return std::find_if(names.begin(), names.end(), [&](const auto& row) { return row.value == value; })->name;
}

/// The value that `name` means, or nothing.
template <typename Names>
constexpr auto value_of(std::string_view name, const Names& names) -> std::optional<decltype(names.begin()->value)> {
  const auto row = std::find_if(names.begin(), names.end(), [&](const auto& r) { return r.name == name; });
  return row == names.end() ? std::nullopt : std::optional(row->value);
}

}  // namespace bitlaw
