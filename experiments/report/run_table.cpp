#include "experiments/report/run_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/record/csv.h"
#include "core/record/run_columns.h"
#include "core/record/run_fields.h"
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/experiment.h"

namespace bitlaw {
namespace {

std::vector<Column> columns_of(std::span<const RunRecord> runs) {
  std::vector<Column> columns = run_columns(runs);
  for (Column& column : varying_config_columns(runs)) columns.push_back(std::move(column));
  std::vector<double> seconds;
  for (const RunRecord& run : runs) seconds.push_back(run.wall_seconds);
  columns.push_back({.name = kWallSeconds.name, .meaning = {}, .values = std::move(seconds)});
  return columns;
}

std::string cell_of(const Column& column, std::size_t row) {
  return std::visit(
      [&](const auto& values) -> std::string {
        if constexpr (std::is_same_v<typename std::decay_t<decltype(values)>::value_type, std::string>) {
          return csv_cell(values[row]);
        } else if constexpr (std::is_same_v<typename std::decay_t<decltype(values)>::value_type, double>) {
          return std::isnan(values[row]) ? "" : fmt::format("{}", values[row]);
        } else {
          return fmt::format("{}", values[row]);
        }
      },
      column.values);
}

nlohmann::json json_of(const Column& column, std::size_t row) {
  return std::visit(
      [&](const auto& values) -> nlohmann::json {
        if constexpr (std::is_same_v<typename std::decay_t<decltype(values)>::value_type, double>) {
          if (std::isnan(values[row])) return nullptr;
          if (std::isinf(values[row])) return fmt::format("{}", values[row]);
        }
        return values[row];
      },
      column.values);
}

}  // namespace

std::string runs_csv(std::span<const RunRecord> runs) {
  const std::vector<Column> columns = columns_of(runs);
  std::vector<std::string> cells;
  for (const Column& column : columns) cells.push_back(column.name);
  std::string text = fmt::format("{}\n", fmt::join(cells, ","));
  for (std::size_t row = 0; row < runs.size(); ++row) {
    cells.clear();
    for (const Column& column : columns) cells.push_back(cell_of(column, row));
    text += fmt::format("{}\n", fmt::join(cells, ","));
  }
  return text;
}

std::string runs_json(std::span<const RunRecord> runs) {
  const std::vector<Column> columns = columns_of(runs);
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (std::size_t row = 0; row < runs.size(); ++row) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (const Column& column : columns) object[column.name] = json_of(column, row);
    rows.push_back(std::move(object));
  }
  return rows.dump() + "\n";
}

std::vector<std::string> run_labels(std::span<const RunRecord> runs) {
  constexpr std::string_view kPrefix = "config.";
  std::vector<std::string> keys;
  for (const Column& column : varying_config_columns(runs)) {
    const std::string key = column.name.substr(kPrefix.size());
    if (key == "precision" || find_config_key(key) != nullptr) keys.push_back(key);
  }
  std::vector<std::string> labels(runs.size());
  for (const std::string& key : keys) {
    const std::string name = short_name(key, keys);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const auto found = runs[i].config.find(key);
      if (found == runs[i].config.end()) continue;
      labels[i] += fmt::format("{}{}={}", labels[i].empty() ? "" : ", ", name, to_text(found->second));
    }
  }
  return labels;
}

}  // namespace bitlaw
