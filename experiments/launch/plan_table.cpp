#include "experiments/launch/plan_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/record/run_json.h"
#include "experiments/launch/peak_memory.h"
#include "experiments/launch/progress.h"
#include "experiments/report/table.h"
#include "experiments/sweep/config_keys.h"

namespace bitlaw {
namespace {

struct Totals {
  std::array<std::size_t, 3> runs{};  ///< by state
  double flops = 0, flops_left = 0;   ///< left: of the runs without a result, what a checkpoint saves not counted
  double flops_per_second = 0;        ///< of one worker, from the finished runs; 0 while there is none
};

Totals totals_of(const Experiment& experiment, const RunStore& store) {
  Totals totals;
  double seconds = 0;
  for (const PlannedRun& run : experiment.runs) {
    const RunStore::State state = store.state(run.id);
    ++totals.runs[static_cast<std::size_t>(state)];
    totals.flops += run.counts.training_flops;
    if (state == RunStore::State::Done) {
      seconds += store.load(run)->wall_seconds;
    } else {
      totals.flops_left += run.counts.training_flops;
    }
  }
  if (seconds > 0) totals.flops_per_second = (totals.flops - totals.flops_left) / seconds;
  return totals;
}

nlohmann::json totals_json(const Totals& totals) {
  nlohmann::json json{{"runs", totals.runs[0] + totals.runs[1] + totals.runs[2]},
                      {"flops", totals.flops},
                      {"flops_left", totals.flops_left},
                      {"worker_seconds_left", nullptr}};
  for (const auto state : {RunStore::State::New, RunStore::State::Started, RunStore::State::Done}) {
    json[std::string(to_text(state))] = totals.runs[static_cast<std::size_t>(state)];
  }
  if (totals.flops_per_second > 0) json["worker_seconds_left"] = totals.flops_left / totals.flops_per_second;
  return json;
}

}  // namespace

std::string plan_table(const Experiment& experiment, const RunStore& store) {
  Table table{.title = "Runs of " + experiment.name, .header = {"run", "id"}, .rows = {}, .notes = {}};
  for (const std::string& key : experiment.differing) table.header.push_back(short_name(key, experiment.differing));
  const std::size_t text_columns = table.header.size();
  table.header.insert(table.header.end(), {"N", "D", "FLOPs", "state"});
  for (std::size_t i = 0; i < experiment.runs.size(); ++i) {
    const PlannedRun& run = experiment.runs[i];
    std::vector<std::string> row{std::to_string(i + 1), run.id.substr(0, 8)};
    row.insert(row.end(), run.values.begin(), run.values.end());
    row.insert(row.end(),
               {std::to_string(run.counts.params), std::to_string(run.tokens),
                fmt::format("{:.3g}", run.counts.training_flops), std::string(to_text(store.state(run.id)))});
    table.rows.push_back(std::move(row));
  }
  return text_of(table, text_columns) + "\n" + status_text(experiment, store);
}

std::string plan_json(const Experiment& experiment, const RunStore& store) {
  using nlohmann::json;
  json runs = json::array();
  for (const PlannedRun& run : experiment.runs) {
    runs.push_back({{"id", run.id},
                    {"label", run.label},
                    {"params", run.counts.params},
                    {"tokens", run.tokens},
                    {"flops", run.counts.training_flops},
                    {"state", to_text(store.state(run.id))},
                    {"config", json::parse(config_to_json(run.resolved()))}});
  }
  return json({{"experiment", experiment.name},
               {"differing", experiment.differing},
               {"runs", runs},
               {"totals", totals_json(totals_of(experiment, store))}})
      .dump();
}

std::string provenance_text(const Experiment& experiment) {
  const auto is_common = [&](const std::string& key) {
    return std::find(experiment.differing.begin(), experiment.differing.end(), key) == experiment.differing.end();
  };
  const auto add_rows = [&](Table& table, const PlannedRun& run, bool common) {
    const std::map<std::string, std::string> places = run.places();
    for (const auto& [key, value] : run.resolved()) {
      if (is_common(key) != common) continue;
      const auto place = places.find(key);
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

std::string memory_table(const Experiment& experiment) {
  Table table{.title = "Peak memory of the runs of " + experiment.name,
              .header = {"run", "id", "what differs", "peak memory"},
              .rows = {},
              .notes = {}};
  for (std::size_t i = 0; i < experiment.runs.size(); ++i) {
    const PlannedRun& run = experiment.runs[i];
    const auto peak = probe_peak_memory(run);
    table.rows.push_back({std::to_string(i + 1), run.id.substr(0, 8), run.label,
                          peak ? fmt::format("{:.1f} MB", static_cast<double>(*peak) / 1e6) : "not enough memory"});
  }
  return text_of(table, 3);
}

std::string status_text(const Experiment& experiment, const RunStore& store) {
  const Totals totals = totals_of(experiment, store);
  const auto count = [&](RunStore::State state) { return totals.runs[static_cast<std::size_t>(state)]; };
  std::string text = fmt::format("{}: {} runs, {:.3g} FLOPs: {} done, {} started, {} new\n", experiment.name,
                                 experiment.runs.size(), totals.flops, count(RunStore::State::Done),
                                 count(RunStore::State::Started), count(RunStore::State::New));
  if (totals.flops_left == 0) return text;
  text += fmt::format("left: {:.3g} FLOPs", totals.flops_left);
  if (totals.flops_per_second > 0) {
    text += fmt::format(", about {} of one worker at the speed of the finished runs",
                        duration_text(totals.flops_left / totals.flops_per_second));
  }
  return text + "\n";
}

std::string status_json(const Experiment& experiment, const RunStore& store) {
  return nlohmann::json({{"experiment", experiment.name}, {"totals", totals_json(totals_of(experiment, store))}})
      .dump();
}

}  // namespace bitlaw
