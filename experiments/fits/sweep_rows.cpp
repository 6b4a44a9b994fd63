#include "experiments/fits/sweep_rows.h"

#include <fmt/format.h>

#include <cmath>
#include <set>
#include <utility>

#include "core/record/run_columns.h"
#include "core/record/run_fields.h"
#include "core/record/run_groups.h"
#include "experiments/sweep/config_keys.h"

namespace bitlaw {
namespace {

std::string text_of(const std::string& value) { return value; }
std::string text_of(bool value) { return value ? "1" : "0"; }
std::string text_of(double value) { return std::isnan(value) ? "" : fmt::format("{}", value); }
template <typename Integer>
std::string text_of(Integer value) {
  return fmt::format("{}", value);
}

}  // namespace

SweepRows::SweepRows(const std::vector<RunRecord>& runs, std::string file) : TableRows(std::move(file)), runs_(&runs) {
  for_each_field(kRunFields, [this](const auto& field) { names_.emplace_back(field.name); });
  fields_ = names_.size();
  std::set<std::string> keys{kTaskKey};
  for (const RunRecord& run : runs) {
    for (const auto& [key, value] : run.config) keys.insert(key);
  }
  for (const std::string& key : keys) {
    if (!contains(key)) names_.push_back(key);
  }
  cells_.resize(names_.size());
}

bool SweepRows::next() {
  if (next_ == runs_->size()) return false;
  const RunRecord& run = (*runs_)[next_++];
  std::size_t column = 0;
  for_each_field(kRunFields, [&](const auto& field) { cells_[column++].text = text_of(run.*field.member); });
  for (; column < names_.size(); ++column) {
    const auto value = run.config.find(names_[column]);
    cells_[column].text = names_[column] == kTaskKey  ? task_of(run)
                          : value == run.config.end() ? ""
                                                      : to_text(value->second);
  }
  for (Cell& cell : cells_) cell.line = static_cast<int>(next_);
  return true;
}

}  // namespace bitlaw
