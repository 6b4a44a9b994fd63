#include "experiments/launch/plan_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <utility>

#include "core/base/cores.h"
#include "core/base/parallel_for.h"
#include "experiments/launch/plan_file.h"
#include "experiments/launch/progress.h"
#include "experiments/launch/run_memory.h"
#include "experiments/launch/survey.h"
#include "experiments/report/table.h"
#include "experiments/sweep/config_keys.h"

namespace bitlaw {
namespace {

constexpr std::size_t kRunsAtATime = 2000;  ///< that a thread takes: some milliseconds
constexpr std::size_t kTotalsBytes = 1000;  ///< of a document, enough

struct Totals {
  std::size_t all = 0;
  std::map<std::string_view, std::size_t> runs;        ///< by the name of their standing
  double flops = 0, flops_left = 0, seconds_left = 0;  ///< left: of the runs without a result; checkpoints not counted
};

bool has_result(Standing standing) { return standing == Standing::Done || standing == Standing::Diverged; }

Totals totals_of(const Experiment& experiment, const Survey& survey) {
  Totals totals{.all = experiment.runs.size(), .runs = {}};
  for (std::size_t i = 0; i < experiment.runs.size(); ++i) {
    const PlannedRun& run = experiment.runs[i];
    ++totals.runs[name_of(survey.standing[i], kStandingNames)];
    totals.flops += run.counts.training_flops;
    if (has_result(survey.standing[i])) continue;
    totals.flops_left += run.counts.training_flops;
    totals.seconds_left += survey.prices.seconds(run.work);
  }
  return totals;
}

nlohmann::json totals_json(const Totals& totals, const PriceModel& prices) {
  nlohmann::json json{{"runs", totals.all},
                      {"flops", totals.flops},
                      {"flops_left", totals.flops_left},
                      {"worker_seconds_left", totals.seconds_left},
                      {"timed_runs", prices.runs()},
                      {"timed_median_error", nullptr}};
  if (!std::isnan(prices.median_error())) json["timed_median_error"] = prices.median_error();
  for (const auto& row : kStandingNames) json[std::string(row.name)] = 0;
  for (const auto& [standing, count] : totals.runs) json[std::string(standing)] = count;
  return json;
}

/// Where predicted times come from.
std::string source_of(const PriceModel& prices) {
  if (prices.runs() == 0) return "a rough guess, since no run has finished on this machine";
  if (std::isnan(prices.median_error())) return fmt::format("from {} finished runs", prices.runs());
  return fmt::format("from {} finished runs, each predicted by the others to {:.0f} %", prices.runs(),
                     100 * prices.median_error());
}

std::string totals_text(const std::string& name, const Totals& totals, const PriceModel& prices) {
  std::vector<std::string> counts;
  for (const auto& row : kStandingNames) {
    const auto found = totals.runs.find(row.name);
    if (found != totals.runs.end()) counts.push_back(fmt::format("{} {}", found->second, row.name));
  }
  std::string text =
      fmt::format("{}: {} runs, {:.3g} FLOPs: {}\n", name, totals.all, totals.flops, fmt::join(counts, ", "));
  if (totals.flops_left == 0) return text;
  return text + fmt::format("left: {:.3g} FLOPs, about {} of one worker ({})\n", totals.flops_left,
                            duration_text(totals.seconds_left), source_of(prices));
}

/// Calls body(i, run) for each run, on all cores.
template <typename Body>
void for_each_run(const Experiment& experiment, const Body& body) {
  const int cores = all_cores();
  parallel_for(experiment.runs.size(), cores, [&](std::size_t i) { body(i, experiment.runs[i]); });
}

/// A value as a number where the key's is one, as null where the run has none.
nlohmann::json value_json(const std::string& key, const std::string& value) {
  if (value == "-") return nullptr;
  const ConfigKey* row = find_config_key(key);
  return row == nullptr || row->type == ConfigKey::Type::Text ? nlohmann::json(value) : nlohmann::json::parse(value);
}

/// Runs as JSON documents, written as text: those of 100,000 runs would take hundreds of megabytes and half a second.
class RunTexts {
 public:
  explicit RunTexts(const std::vector<std::string>& differing) {
    for (const std::string& key : differing) columns_.push_back({key, nlohmann::json(key).dump() + ":", {}});
  }

  /// `memory` is its part of the document, or empty.
  void add(std::string& text, const PlannedRun& run, double seconds, const std::string& memory, Standing standing) {
    fmt::format_to(
        std::back_inserter(text),
        R"({{"flops":{},"id":"{}","label":{},"params":{}{},"seconds":{},"state":"{}","tokens":{},"values":{{)",
        nlohmann::json(run.counts.training_flops).dump(), run.id, nlohmann::json(run.label).dump(), run.counts.params,
        memory, nlohmann::json(seconds).dump(), name_of(standing, kStandingNames), run.tokens);
    for (std::size_t k = 0; k < columns_.size(); ++k) {
      if (k > 0) text += ',';
      text += columns_[k].name;
      text += columns_[k].text(run.values[k]);
    }
    text += "}}";
  }

 private:
  struct Column {
    const std::string& text(const std::string& value) {
      const auto [found, added] = known.try_emplace(value);
      if (added) found->second = value_json(key, value).dump();
      return found->second;
    }
    std::string key, name;
    std::unordered_map<std::string, std::string> known;  ///< a sweep has many runs and few values
  };
  std::vector<Column> columns_;
};

nlohmann::json changes_json(const PlanChanges& since) {
  nlohmann::json keys = nlohmann::json::array();
  for (const auto& key : since.keys) keys.push_back({{"key", key.name}, {"before", key.before}, {"after", key.after}});
  return {{"kept", since.kept}, {"added", since.added}, {"gone", since.gone}, {"keys", std::move(keys)}};
}

std::string json_text(const std::optional<std::int64_t>& peak) { return peak ? std::to_string(*peak) : "null"; }

std::string memory_text(const std::optional<std::int64_t>& peak) {
  return peak ? fmt::format("{:.1f} MB", static_cast<double>(*peak) / 1e6) : "-";
}

}  // namespace

PeakMemory peak_memory(const Experiment& experiment,
                       const std::function<std::optional<std::int64_t>(const PlannedRun&)>& probe) {
  std::map<std::map<std::string, ConfigValue>, std::optional<std::int64_t>> known;
  PeakMemory memory;
  for (const PlannedRun& run : experiment.runs) {
    const auto [found, added] = known.try_emplace(what_needs_memory(run));
    if (added) found->second = probe(run);
    memory.push_back(found->second);
  }
  return memory;
}

std::string plan_table(const Experiment& experiment, const RunStore& store, const PeakMemory* memory) {
  const Survey found = survey(experiment, store, Look::Thorough);
  Table table{.title = "Runs of " + experiment.name, .header = {"run", "id"}, .rows = {}, .notes = {}};
  for (const std::string& key : experiment.differing) table.header.push_back(short_name(key, experiment.differing));
  const std::size_t text_columns = table.header.size();
  table.header.insert(table.header.end(), {"N", "D", "FLOPs", "time"});
  if (memory != nullptr) table.header.emplace_back("memory");
  table.header.emplace_back("state");
  table.rows.resize(experiment.runs.size());
  for_each_run(experiment, [&](std::size_t i, const PlannedRun& run) {
    std::vector<std::string>& row = table.rows[i];
    row = {std::to_string(i + 1), run.id.substr(0, 8)};
    row.insert(row.end(), run.values.begin(), run.values.end());
    row.insert(row.end(),
               {std::to_string(run.counts.params), std::to_string(run.tokens),
                fmt::format("{:.3g}", run.counts.training_flops), duration_text(found.prices.seconds(run.work))});
    if (memory != nullptr) row.push_back(memory_text((*memory)[i]));
    row.emplace_back(name_of(found.standing[i], kStandingNames));
  });
  std::string text =
      text_of(table, text_columns) + "\n" + totals_text(experiment.name, totals_of(experiment, found), found.prices);
  if (const auto last = read_plan(store.plan())) text += changes_text(changes(*last, saved_plan(experiment)));
  return text;
}

std::string plan_json(const Experiment& experiment, const RunStore& store, const PeakMemory* memory) {
  using nlohmann::json;
  const Survey found = survey(experiment, store, Look::Thorough);
  json common = json::object(), since = nullptr;
  for (const auto& [key, value] : saved_values(experiment)) common[key] = value_json(key, value);
  if (const auto last = read_plan(store.plan())) since = changes_json(changes(*last, saved_plan(experiment)));

  const std::size_t count = experiment.runs.size();
  std::vector<std::string> parts((count + kRunsAtATime - 1) / kRunsAtATime);
  parallel_for(parts.size(), all_cores(), [&](std::size_t part) {
    RunTexts texts(experiment.differing);
    for (std::size_t i = part * kRunsAtATime; i < std::min(count, (part + 1) * kRunsAtATime); ++i) {
      if (i > 0) parts[part] += ',';
      const PlannedRun& run = experiment.runs[i];
      const std::string peak = memory == nullptr ? "" : fmt::format(R"(,"peak_memory":{})", json_text((*memory)[i]));
      texts.add(parts[part], run, found.prices.seconds(run.work), peak, found.standing[i]);
    }
  });
  std::string text = fmt::format(R"({{"changes":{},"common":{},"differing":{},"experiment":{},"runs":[)", since.dump(),
                                 common.dump(), json(experiment.differing).dump(), json(experiment.name).dump());
  std::size_t bytes = text.size() + kTotalsBytes;
  for (const std::string& part : parts) bytes += part.size();
  text.reserve(bytes);
  for (std::string& part : parts) text += std::exchange(part, {});
  return text + fmt::format(R"(],"totals":{}}})", totals_json(totals_of(experiment, found), found.prices).dump());
}

std::string provenance_text(const Experiment& experiment) {
  const std::map<std::string, ConfigValue> in_all = common_values(experiment);
  const auto add_rows = [&](Table& table, const PlannedRun& run, bool common) {
    const std::map<std::string, std::string> places = run.places();
    for (const auto& [key, value] : run.resolved()) {
      if (in_all.contains(key) != common) continue;
      const auto place = places.find(key.starts_with("precision.") ? "precision" : key);
      table.rows.push_back({key, to_text(value), place == places.end() ? "default" : place->second});
    }
  };
  Table common{.title = "Values that all runs have", .header = {"key", "value", "from"}, .rows = {}, .notes = {}};
  add_rows(common, experiment.runs.front(), true);
  std::string text = text_of(common, 3);
  for (std::size_t i = 0; i < experiment.runs.size() && !experiment.differing.empty(); ++i) {
    const PlannedRun& run = experiment.runs[i];
    Table own{.title = fmt::format("Run {} {}", i + 1, run.id.substr(0, 8)),
              .header = common.header,
              .rows = {},
              .notes = {}};
    add_rows(own, run, false);
    text += "\n" + text_of(own, 3);
  }
  return text;
}

std::string status_text(const Experiment& experiment, const RunStore& store) {
  const Survey found = survey(experiment, store, Look::Quick);
  return totals_text(experiment.name, totals_of(experiment, found), found.prices);
}

std::string status_json(const Experiment& experiment, const RunStore& store) {
  const Survey found = survey(experiment, store, Look::Quick);
  return nlohmann::json(
             {{"experiment", experiment.name}, {"totals", totals_json(totals_of(experiment, found), found.prices)}})
      .dump();
}

}  // namespace bitlaw
