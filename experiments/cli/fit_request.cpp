#include "experiments/cli/fit_request.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <utility>

#include "core/record/csv.h"
#include "core/record/sweep_file.h"
#include "experiments/launch/fits.h"
#include "experiments/sweep/fit_spec.h"
#include "fitting/fit/fit.h"

namespace bitlaw {
namespace {

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

void add(YamlNode& map, const std::string& key, const std::string& value, const std::string& place) {
  map.kind = YamlNode::Kind::Map;
  YamlNode child = parse_value(value, place);
  child.key = key;
  child.key_place = child.place;
  map.children.push_back(std::move(child));
}

/// The flags as an entry of a file's `fits`, so that both say and refuse the same.
FitSpec spec_of(const FitRequest& request) {
  YamlNode fit;
  fit.place.file = "bitlaw fit";
  add(fit, "law", request.law, "--law " + request.law);
  if (!request.per.empty()) add(fit, "per", request.per, "--per " + request.per);
  if (!request.bootstrap.empty()) add(fit, "bootstrap", request.bootstrap, "--bootstrap " + request.bootstrap);
  if (!request.huber_delta.empty())
    add(fit, "huber_delta", request.huber_delta, "--huber-delta " + request.huber_delta);
  for (const auto& [flag, conditions] : {std::pair{"where", &request.where}, std::pair{"fixed", &request.fixed}}) {
    YamlNode map;
    map.key = flag;
    for (const std::string& condition : *conditions) {
      const std::string typed = fmt::format("--{}", flag);
      const auto [key, value] = key_and_value(typed, condition);
      add(map, key, value, typed + " " + condition);
    }
    if (!map.children.empty()) fit.children.push_back(std::move(map));
  }
  return fit_spec_in(fit);
}

/// Which column holds what: --map, or else the name itself.
std::map<std::string, std::string> columns_of(const FitRequest& request, const Law& law) {
  std::map<std::string, std::string> columns{{"loss", "loss"}, {"run", ""}};
  for (const std::string_view input : law.inputs()) columns.emplace(input, input);
  std::string_view rest = request.columns;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const auto [name, column] = key_and_value("--map", std::string(item));
    const auto found = columns.find(name);
    if (found == columns.end()) {
      throw InputError(
          fmt::format("--map {}: law '{}' takes no '{}', so the column would be ignored; it takes {}, loss "
                      "and run",
                      item, law.name(), name, fmt::join(law.inputs(), ", ")));
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
                const Law& law) {
  if (name == "loss") {
    if (value > 0 && std::isfinite(value)) return;
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
                             const std::vector<std::size_t>& rows) {
  const std::vector<double> loss = table.numbers(columns.at("loss"));
  std::vector<std::vector<double>> inputs;
  for (const std::string_view input : law.inputs()) inputs.push_back(table.numbers(columns.at(std::string(input))));
  const std::string& run_column = columns.at("run");
  const std::vector<std::string> runs = run_column.empty() ? std::vector<std::string>{} : table.texts(run_column);
  Observations observations;
  for (const std::size_t i : rows) {
    if (std::isnan(loss[i])) continue;
    check_cell(table, i, columns.at("loss"), "loss", loss[i], law);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const std::string input(law.inputs()[k]);
      check_cell(table, i, columns.at(input), input, inputs[k][i], law);
    }
    const std::string id = fmt::format("row {}", i + 1);
    observations.ids.push_back(id);
    observations.loss.push_back(loss[i]);
    observations.cluster.push_back(runs.empty() ? id : runs[i]);
    std::vector<double>& row = observations.inputs.emplace_back();
    for (const std::vector<double>& column : inputs) row.push_back(column[i]);
  }
  if (const std::size_t left_out = rows.size() - observations.loss.size(); left_out > 0) {
    observations.notes.push_back(fmt::format("{} of {} rows have no loss and are left out", left_out, rows.size()));
  }
  return observations;
}

std::vector<FitRecord> fit_csv(const FitRequest& request, const FitSpec& spec, int threads) {
  const Law& law = find_law(spec.law);
  const auto columns = columns_of(request, law);
  const CsvTable table = read_csv(request.file);
  const FitOptions options{
      .huber_delta = spec.huber_delta, .bootstrap = spec.bootstrap, .fixed = spec.fixed, .threads = threads};
  std::vector<FitRecord> fits;
  for (const FitGroup& group : fit_groups(spec, rows_of(table))) {
    const Observations observations = observations_of(table, law, columns, group.runs);
    try {
      fits.push_back(fit_law(law, observations, options, group.name));
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}: {}", request.file, error.what()));
    }
  }
  return fits;
}

}  // namespace

std::vector<FitRecord> fits_asked(const FitRequest& request, int threads) {
  const FitSpec spec = spec_of(request);
  if (std::filesystem::path(request.file).extension() == ".csv") return fit_csv(request, spec, threads);
  if (!request.columns.empty()) {
    throw InputError(fmt::format("--map {}: {} is no .csv, whose columns it could name; leave the flag out",
                                 request.columns, request.file));
  }
  return fit_runs(spec, read_sweep_file(request.file).runs, threads);
}

}  // namespace bitlaw
