#include "experiments/cli/fit_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "core/record/csv.h"
#include "core/record/sweep_file.h"
#include "fitting/laws/law.h"

namespace bitlaw {
namespace {

/// Which column holds what: --map, or else the name itself.
std::map<std::string, std::string> columns_of(const FitRequest& request, const Law& law) {
  std::map<std::string, std::string> columns{{"loss", "loss"}, {"run", ""}, {"weight", ""}};
  for (const std::string_view input : law.inputs()) columns.emplace(input, input);
  for (const auto& [name, column] : items_of_map(request.columns)) {
    const auto found = columns.find(name);
    if (found == columns.end()) {
      throw InputError(
          fmt::format("--map {}={}: law '{}' takes no '{}', so the column would be ignored; it takes {}, loss, run and "
                      "weight",
                      name, column, law.name(), name, fmt::join(law.inputs(), ", ")));
    }
    found->second = column;
  }
  return columns;
}

/// Rows as runs that know their cells only, for conditions and groups.
std::vector<RunRecord> rows_of(const CsvTable& table) {
  std::vector<RunRecord> rows(table.rows());
  for (const std::string& name : table.names()) {
    const std::vector<std::string> cells = table.texts(name);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double number = 0;
      rows[i].config[name] = parses_as_number(cells[i], number) ? ConfigValue(number) : ConfigValue(cells[i]);
    }
  }
  return rows;
}

/// Refuses, at the cell, what fit_law() would refuse by the row's name.
void check_cell(const CsvTable& table, std::size_t row, const std::string& column, std::string_view name, double value,
                const Law& law, Residual residual) {
  if (name == "loss") {
    if ((value > 0 || residual == Residual::Plain) && std::isfinite(value)) return;
    throw InputError(table.place(row, column),
                     fmt::format("loss is {}, not a positive number, so it has no logarithm; correct the cell or empty "
                                 "it to leave the row out",
                                 value));
  }
  const double least = least_value(name);
  if (value >= least && std::isfinite(value)) return;
  throw InputError(table.place(row, column),
                   fmt::format("{} is {}, so law '{}' has no value; give a number of at least {} or empty the row's "
                               "loss to leave it out",
                               name, std::isnan(value) ? "empty" : fmt::format("{}", value), law.name(), least));
}

/// The rows of one group; those without a loss are left out and counted in the notes.
Observations observations_of(const CsvTable& table, const Law& law, const std::map<std::string, std::string>& columns,
                             const std::vector<std::size_t>& rows, Residual residual) {
  const std::vector<double> loss = table.numbers(columns.at("loss"));
  std::vector<std::vector<double>> inputs;
  for (const std::string_view input : law.inputs()) inputs.push_back(table.numbers(columns.at(std::string(input))));
  const std::string& run_column = columns.at("run");
  const std::vector<std::string> runs = run_column.empty() ? std::vector<std::string>{} : table.texts(run_column);
  const std::string& weight_column = columns.at("weight");
  const std::vector<double> weights = weight_column.empty() ? std::vector<double>{} : table.numbers(weight_column);
  Observations observations;
  for (const std::size_t i : rows) {
    if (std::isnan(loss[i])) continue;
    if (!weights.empty()) {
      if (!(weights[i] >= 0) || !std::isfinite(weights[i])) {
        throw InputError(
            table.place(i, weight_column),
            fmt::format("weight is {}, which counts no observations; give zero or a positive number", weights[i]));
      }
      if (weights[i] == 0) continue;
      observations.weights.push_back(weights[i]);
    }
    check_cell(table, i, columns.at("loss"), "loss", loss[i], law, residual);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const std::string input(law.inputs()[k]);
      check_cell(table, i, columns.at(input), input, inputs[k][i], law, residual);
    }
    const std::string id = fmt::format("row {}", i + 1);
    observations.ids.push_back(id);
    observations.loss.push_back(loss[i]);
    observations.cluster.push_back(runs.empty() ? id : runs[i]);
    std::vector<double>& row = observations.inputs.emplace_back();
    for (const std::vector<double>& column : inputs) row.push_back(column[i]);
  }
  if (const std::size_t left_out = rows.size() - observations.loss.size(); left_out > 0) {
    observations.notes.push_back(fmt::format("{} of {} rows have no loss{} and are left out", left_out, rows.size(),
                                             weights.empty() ? "" : " or a weight of zero"));
  }
  return observations;
}

std::vector<FitData> csv_data(const FitRequest& request, const FitSpec& spec) {
  const Law& law = law_of(spec);
  const auto columns = columns_of(request, law);
  const CsvTable table = read_csv(request.file);
  std::vector<FitData> data;
  for (const FitGroup& group : fit_groups(spec, rows_of(table))) {
    data.push_back({group.name, observations_of(table, law, columns, group.runs, spec.options.objective.residual)});
  }
  return data;
}

}  // namespace

bool is_csv(const std::string& file) { return std::filesystem::path(file).extension() == ".csv"; }

std::pair<std::string, std::string> key_and_value(const std::string& flag, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw InputError(fmt::format("{} {}: is not key=value, so it says nothing; write for example {} {}", flag, text,
                                 flag,
                                 flag == "--map"     ? "N=params"
                                 : flag == "--fixed" ? "E=1.5"
                                                     : "precision=mxfp4"));
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::vector<std::pair<std::string, std::string>> items_of_map(const std::string& columns) {
  std::vector<std::pair<std::string, std::string>> items;
  std::string_view rest = columns;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    items.push_back(key_and_value("--map", std::string(item)));
  }
  return items;
}

bool is_role(const std::string& name) { return name == "loss" || name == "run" || name == "weight"; }

std::vector<FitData> data_asked(const FitRequest& request, const FitSpec& spec) {
  if (is_csv(request.file)) return csv_data(request, spec);
  if (!request.columns.empty()) {
    throw InputError(fmt::format("--map {}: {} is no .csv, whose columns it could name; leave the flag out",
                                 request.columns, request.file));
  }
  const std::vector<RunRecord> runs = read_sweep_file(request.file).runs;
  std::vector<FitData> data;
  for (const FitGroup& group : fit_groups(spec, runs)) {
    std::vector<RunRecord> members;
    for (const std::size_t i : group.runs) members.push_back(runs[i]);
    data.push_back({group.name, observations_from_runs(law_of(spec), members)});
  }
  return data;
}

}  // namespace bitlaw
