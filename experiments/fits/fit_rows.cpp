#include "experiments/fits/fit_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>

#include "core/base/closest.h"
#include "experiments/fits/row_filter.h"

namespace bitlaw {
namespace {

template <typename T>
void keep_rows(std::vector<T>& column, const std::vector<std::size_t>& rows) {
  if (column.empty()) return;
  std::vector<T> kept;
  kept.reserve(rows.size());
  for (const std::size_t row : rows) kept.push_back(column[row]);
  column = std::move(kept);
}

/// The column for `name`, with the columns to choose from where there is none.
std::ptrdiff_t find_column(const TableRows& rows, const std::string& name, const std::string& column) {
  if (rows.contains(column)) return static_cast<std::ptrdiff_t>(rows.index_of(column));
  const std::string near = closest_match(column, rows.names());
  throw InputError(fmt::format("{}: has no column '{}', so {} is unknown; {}its columns are {}", rows.file(), column,
                               name,
                               near.empty() ? fmt::format("say which with --map {}=COLUMN; ", name)
                                            : fmt::format("did you mean --map {}={}? ", name, near),
                               fmt::join(rows.names(), ", ")));
}

/// Refuses, at the cell, what fit_law() would refuse by the row's name.
void check_loss(const TableRows& rows, std::size_t column, double value, Residual residual) {
  if ((value > 0 || residual == Residual::Plain) && std::isfinite(value)) return;
  throw InputError(rows.place(column),
                   fmt::format("loss is {}, not a positive number, so it has no logarithm; correct the cell or empty "
                               "it to leave the row out",
                               value));
}

void check_input(const TableRows& rows, std::size_t column, std::string_view name, double value,
                 const std::string& law) {
  const double least = least_value(name);
  if (value >= least && std::isfinite(value)) return;
  throw InputError(rows.place(column),
                   fmt::format("{} is {}, so law '{}' has no value; give a number of at least {} or empty the row's "
                               "loss to leave it out",
                               name, std::isnan(value) ? "empty" : fmt::format("{}", value), law, least));
}

void check_weight(const TableRows& rows, std::size_t column, double value) {
  if (value >= 0 && std::isfinite(value)) return;
  throw InputError(rows.place(column),
                   fmt::format("weight is {}, which counts no observations; give zero or a positive number", value));
}

/// A column that --where key=value or --per names.
std::size_t key_column(const TableRows& rows, const std::string& key, const SourceLocation& place) {
  if (rows.contains(key)) return rows.index_of(key);
  std::vector<std::string> names = rows.names();
  std::sort(names.begin(), names.end());
  throw InputError(place, fmt::format("{} has no column '{}', so the fit would select by nothing; {}", rows.file(), key,
                                      remedy(key, names)));
}

bool equals_one_of(const std::string& cell, const std::vector<std::string>& values) {
  double number = 0;
  const ConfigValue value = parses_as_number(cell, number) ? ConfigValue(number) : ConfigValue(cell);
  return std::any_of(values.begin(), values.end(), [&](const std::string& text) { return equals(value, text); });
}

}  // namespace

std::int32_t TextPool::number_of(const std::string& text) {
  const auto [entry, is_new] = numbers_.try_emplace(text, static_cast<std::int32_t>(texts_.size()));
  if (is_new) texts_.push_back(text);
  return entry->second;
}

void FitRows::keep(const std::vector<std::size_t>& rows) {
  for (std::vector<double>& column : inputs) keep_rows(column, rows);
  keep_rows(weight, rows);
  keep_rows(run, rows);
  keep_rows(label, rows);
  keep_rows(format, rows);
  keep_rows(number, rows);
  std::vector<double> kept;
  for (const std::size_t row : rows) kept.push_back(loss[row]);
  loss = std::move(kept);
}

RowInputs inputs_of(const Law& law) { return {std::string(law.name()), law.inputs()}; }

FitColumns::FitColumns(const FitRequest& request, RowInputs inputs) : inputs_(std::move(inputs)) {
  columns_ = {{"loss", "loss"}, {"run", ""}, {"weight", ""}};
  for (const std::string_view input : inputs_.names) columns_.emplace(input, input);
  for (const auto& [name, column] : items_of_map(request)) {
    const auto found = columns_.find(name);
    if (found == columns_.end()) {
      throw InputError(
          fmt::format("--map {}={}: law '{}' takes no '{}', so the column would be ignored; it takes {}, loss, run and "
                      "weight",
                      name, column, inputs_.law, name, fmt::join(inputs_.names, ", ")));
    }
    found->second = column;
  }
  for (const auto& [name, text] : settings_of(request)) {
    double value = 0;
    if (is_role(name) || !columns_.contains(name) || !parses_as_number(text, value)) {
      throw InputError(
          fmt::format("--set {}={}: is no input of law '{}' with a number, so it would be ignored; it takes {}", name,
                      text, inputs_.law, fmt::join(inputs_.names, ", ")));
    }
    constants_.emplace(name, value);
  }
}

FitColumns::Bound FitColumns::bind(const TableRows& rows) const {
  Bound bound;
  for (const std::string_view input : inputs_.names) {
    const std::string name(input);
    const auto constant = constants_.find(name);
    bound.constants.push_back(constant == constants_.end() ? 0 : constant->second);
    bound.inputs.push_back(constant == constants_.end() ? find_column(rows, name, columns_.at(name)) : -1);
  }
  bound.loss = find_column(rows, "loss", columns_.at("loss"));
  if (!columns_.at("run").empty()) bound.run = find_column(rows, "run", columns_.at("run"));
  if (!columns_.at("weight").empty()) bound.weight = find_column(rows, "weight", columns_.at("weight"));
  return bound;
}

FitRowReader::FitRowReader(const FitRequest& request, const FitSpec& spec, RowInputs inputs, TextPool& texts)
    : request_(request), spec_(spec), inputs_(inputs), columns_(request, std::move(inputs)), texts_(texts) {
  if (!request.tail.empty()) tail_.emplace(request.tail);
}

void FitRowReader::read(TableRows& rows) {
  last_file_ = rows.file();
  std::deque<RowFilter> filters;
  for (const std::string& where : request_.where) {
    if (is_condition(where)) filters.emplace_back(where, rows);
  }
  std::vector<std::pair<std::size_t, const std::vector<std::string>*>> conditions;
  for (const auto& [key, condition] : spec_.where) {
    conditions.emplace_back(key_column(rows, key, condition.place), &condition.values);
  }
  const std::size_t per = spec_.per.empty() ? 0 : key_column(rows, spec_.per, spec_.per_place);
  const FitColumns::Bound columns = columns_.bind(rows);
  if (tail_ && columns.run < 0) {
    throw InputError(
        fmt::format("--tail {}: the rows' runs are unknown, so the end of a curve is, too; name their "
                    "column with --map run=COLUMN",
                    request_.tail));
  }
  while (rows.next()) {
    ++row_;
    const bool chosen =
        std::all_of(
            conditions.begin(), conditions.end(),
            [&](const auto& condition) { return equals_one_of(rows.text(condition.first), *condition.second); }) &&
        std::all_of(filters.begin(), filters.end(), [&](RowFilter& filter) { return filter.holds(rows); });
    if (chosen) add(rows, columns, group_of(spec_.per.empty() ? "" : rows.text(per)));
  }
}

FitRows& FitRowReader::group_of(const std::string& value) {
  const auto number = static_cast<std::size_t>(values_.number_of(value));
  if (number == groups_.size()) {
    FitRows& group = groups_.emplace_back();
    group.name = spec_.name + (spec_.per.empty() ? "" : "_" + (value.empty() ? "none" : value));
    group.inputs.resize(inputs_.names.size());
  }
  return groups_[number];
}

void FitRowReader::add(TableRows& rows, const FitColumns::Bound& columns, FitRows& group) {
  const auto index = [](std::ptrdiff_t column) { return static_cast<std::size_t>(column); };
  const double loss = rows.number(index(columns.loss));
  const double weight = columns.weight < 0 ? 1 : rows.number(index(columns.weight));
  if (!std::isnan(loss) && columns.weight >= 0) check_weight(rows, index(columns.weight), weight);
  if (std::isnan(loss) || weight == 0) {
    ++group.left_out;
    return;
  }
  check_loss(rows, index(columns.loss), loss, spec_.options.objective.residual);
  for (std::size_t k = 0; k < group.inputs.size(); ++k) {
    double value = columns.constants[k];
    if (columns.inputs[k] >= 0) {
      value = rows.number(index(columns.inputs[k]));
      check_input(rows, index(columns.inputs[k]), inputs_.names[k], value, inputs_.law);
    }
    group.inputs[k].push_back(value);
  }
  group.loss.push_back(loss);
  if (columns.weight >= 0) group.weight.push_back(weight);
  if (columns.run >= 0) group.run.push_back(texts_.number_of(rows.text(index(columns.run))));
  group.number.push_back(row_);
  if (tail_ && group.size() >= group.room) tail_->drop_earlier(group);
}

std::vector<FitRows> FitRowReader::take_groups() {
  if (row_ == 0) {
    throw InputError(fmt::format(
        "{}: has no rows, only names of columns, so there is nothing to fit; write a row for each loss", last_file_));
  }
  if (groups_.empty()) {
    throw InputError(
        fmt::format("fit '{}' selects no row of {}, so there is nothing to fit; correct --where", spec_.name, row_));
  }
  for (FitRows& group : groups_) {
    if (group.left_out == 0) continue;
    group.notes.push_back(fmt::format("{} of {} rows have no loss{} and are left out", group.left_out,
                                      group.left_out + group.size(),
                                      group.weight.empty() ? "" : " or a weight of zero"));
  }
  return std::exchange(groups_, {});
}

Observations observations_of(const FitRows& rows, const TextPool& texts) {
  Observations observations;
  observations.loss = rows.loss;
  observations.weights = rows.weight;
  observations.notes = rows.notes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    observations.ids.push_back(rows.label.empty() ? fmt::format("row {}", rows.number[i]) : texts.text(rows.label[i]));
    observations.cluster.push_back(rows.run.empty() ? observations.ids.back() : texts.text(rows.run[i]));
    if (!rows.format.empty()) observations.format.push_back(texts.text(rows.format[i]));
    std::vector<double>& inputs = observations.inputs.emplace_back();
    for (const std::vector<double>& column : rows.inputs) inputs.push_back(column[i]);
  }
  return observations;
}

FitRows rows_of(const Observations& observations, std::string name, TextPool& texts) {
  FitRows rows;
  rows.name = std::move(name);
  rows.loss = observations.loss;
  rows.weight = observations.weights;
  rows.notes = observations.notes;
  rows.inputs.resize(observations.inputs.empty() ? 0 : observations.inputs.front().size());
  for (std::size_t i = 0; i < observations.loss.size(); ++i) {
    rows.label.push_back(texts.number_of(observations.ids[i]));
    rows.run.push_back(texts.number_of(observations.cluster[i]));
    if (!observations.format.empty()) rows.format.push_back(texts.number_of(observations.format[i]));
    rows.number.push_back(static_cast<std::uint32_t>(i + 1));
    for (std::size_t k = 0; k < rows.inputs.size(); ++k) rows.inputs[k].push_back(observations.inputs[i][k]);
  }
  return rows;
}

}  // namespace bitlaw
