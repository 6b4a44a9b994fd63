#include "experiments/sweep/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/base/cores.h"
#include "core/base/parallel_for.h"
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/validate.h"
#include "simulators/train/trainer.h"

namespace bitlaw {
namespace {

/// Points that a thread takes at a time: some hundredths of a second, so that a small sweep starts no other thread.
constexpr std::size_t kPointsAtATime = 2000;

/// A key that runs were given.
struct GivenKey {
  explicit GivenKey(const std::string& key) : name(key), row(find_config_key(key)) {}

  /// What it is in a run; "-" where it means nothing beside the others.
  std::string text(const TrainConfig& config) const {
    if (name == "precision") return config.recipe.name;
    return row != nullptr && row->used(config) ? to_text(row->get(config)) : "-";
  }

  std::string name;
  const ConfigKey* row;  ///< null for "precision" and others that no table has
};

/// The keys that runs were given, in the order in which they were met. PlannedRun::values are first their texts, run by
/// run, and in the end those of the keys that differ.
class GivenKeys {
 public:
  explicit GivenKeys(const RunDraft& first) {
    first.for_each_given([&](const std::string& key, const SourceLocation&) { note(key); });
    known_ = keys_.size();
  }

  std::vector<std::string> texts(const TrainConfig& config) const {
    std::vector<std::string> texts;
    texts.reserve(known_);
    for (std::size_t k = 0; k < known_; ++k) texts.push_back(keys_[k].text(config));
    return texts;
  }

  /// Notes the keys that only a later run was given; texts() does not give theirs.
  void note_late(const RunDraft& draft) {
    draft.visit_own([&](const std::string& key, const SourceLocation&) { note(key); });
  }
  void note_late(const GivenKeys& others) {
    for (std::size_t k = others.known_; k < others.keys_.size(); ++k) note(others.keys_[k].name);
  }

  /// The texts of those, which are then part of texts().
  bool any_late() const { return keys_.size() > known_; }
  void add_late(PlannedRun& run) const {
    const TrainConfig config = run.source->draft(run.point)->resolved();
    for (std::size_t k = known_; k < keys_.size(); ++k) run.values.push_back(keys_[k].text(config));
  }

  const std::vector<GivenKey>& keys() const { return keys_; }

 private:
  void note(const std::string& name) {
    const auto is_named = [&](const GivenKey& key) { return key.name == name; };
    if (std::none_of(keys_.begin(), keys_.end(), is_named)) keys_.emplace_back(name);
  }

  std::vector<GivenKey> keys_;
  std::size_t known_ = 0;  ///< keys that the first run was given
};

/// Reads the points of a source as runs.
class Planner {
 public:
  explicit Planner(std::shared_ptr<const RunSource> source) : source_(std::move(source)) {
    for (const std::string& section : ids_.names()) is_training_.push_back(section.starts_with("training"));
  }

  /// The run that a draft of the source, of this point, describes; without label and values.
  PlannedRun plan(std::size_t point, const RunDraft& draft, const TrainConfig& config) {
    std::shared_ptr<const TaskData> data = source_->data(draft, config);
    check_run(draft, config, *data);
    ids_.read(config);
    const Size& size = this->size(draft, config, *data);
    return PlannedRun{.id = ids_.id(data->fingerprint),
                      .label = {},
                      .values = {},
                      .tokens = config.steps() * config.tokens_per_step(),
                      .counts = size.counts,
                      .work = size.work,
                      .data = std::move(data),
                      .source = source_,
                      .point = point};
  }

  const std::set<std::string>& warnings() const { return warnings_; }

 private:
  struct Size {
    TaskCounts counts;
    RunWork work{};
  };
  /// Size, and the check of recipes, once for all runs that differ in nothing that they depend on.
  const Size& size(const RunDraft& draft, const TrainConfig& config, const TaskData& data) {
    std::string key = fmt::format("{} {} {} {} {}\n", config.batch, config.steps(), config.eval_tokens,
                                  config.validate_every, data.fingerprint);
    for (std::size_t i = 0; i < ids_.names().size(); ++i) {
      if (is_training_[i] && config.start_from.empty()) continue;
      key += ids_.digests()[i];
      key += '\n';
    }
    const auto [found, added] = sizes_.try_emplace(std::move(key));
    if (added) {
      check_recipes(draft, config, data);
      if (auto warning = capped_evaluation(draft, config, data)) warnings_.insert(std::move(*warning));
      found->second = {task_counts(config, data), run_work(config, data)};
    }
    return found->second;
  }

  std::shared_ptr<const RunSource> source_;
  RunIds ids_;
  std::vector<bool> is_training_;  ///< of each section of ids_
  std::unordered_map<std::string, Size> sizes_;
  std::set<std::string> warnings_;
};

/// Tells what each run is beside the others: of all its texts it keeps those that are not the same in all runs.
class RunNames {
 public:
  RunNames(const std::vector<GivenKey>& keys, const std::vector<PlannedRun>& runs) {
    for (std::size_t column = 0; column < keys.size(); ++column) {
      const auto differs = [&](const PlannedRun& run) { return run.values[column] != runs.front().values[column]; };
      if (std::any_of(runs.begin(), runs.end(), differs)) columns_.push_back({keys[column].name, {}, column});
    }
    std::sort(columns_.begin(), columns_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    const std::vector<std::string> names = this->names();
    for (Column& column : columns_) column.prefix = short_name(column.name, names) + "=";
  }

  void name(PlannedRun& run) const {
    std::vector<std::string> values;
    values.reserve(columns_.size());
    for (const Column& column : columns_) {
      const std::string& value = values.emplace_back(std::move(run.values[column.number]));
      if (value == "-") continue;
      if (!run.label.empty()) run.label += ", ";
      run.label += column.prefix + value;
    }
    run.values = std::move(values);
  }

  /// Of the keys that differ, in alphabetical order.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Column& column : columns_) names.push_back(column.name);
    return names;
  }

 private:
  struct Column {
    std::string name, prefix;
    std::size_t number;  ///< in PlannedRun::values, as long as those are all texts
  };
  std::vector<Column> columns_;
};

/// Calls body(first, last, part) for ranges that cover [0, count) and depend on count alone, on all cores.
template <typename Body>
void for_ranges(std::size_t count, const Body& body) {
  const std::size_t parts = (count + kPointsAtATime - 1) / kPointsAtATime;
  const auto cores = static_cast<std::size_t>(all_cores());
  parallel_for(parts, static_cast<int>(std::min(parts, cores)), [&](std::size_t part) {
    body(part * kPointsAtATime, std::min(count, (part + 1) * kPointsAtATime), part);
  });
}

}  // namespace

PlannedPoints plan_points(const std::shared_ptr<const RunSource>& source) {
  std::size_t first = 0;
  std::optional<RunDraft> draft;
  while (first < source->points() && !(draft = source->draft(first))) ++first;
  if (!draft) return {};

  struct Part {
    std::vector<PlannedRun> runs;
    GivenKeys given;
    std::set<std::string> warnings;
  };
  GivenKeys given(*draft);
  const std::size_t count = source->points() - first;
  std::vector<Part> parts((count - 1) / kPointsAtATime + 1, Part{{}, given, {}});
  for_ranges(count, [&](std::size_t from, std::size_t to, std::size_t number) {
    Part& part = parts[number];
    Planner planner(source);
    for (std::size_t point = first + from; point < first + to; ++point) {
      const std::optional<RunDraft> next = source->draft(point);
      if (!next) continue;
      const TrainConfig config = next->resolved();
      part.runs.push_back(planner.plan(point, *next, config));
      part.runs.back().values = given.texts(config);
      part.given.note_late(*next);
    }
    part.warnings = planner.warnings();
  });

  PlannedPoints planned;
  planned.runs.reserve(count);
  for (Part& part : parts) {
    planned.runs.insert(planned.runs.end(), std::move_iterator(part.runs.begin()), std::move_iterator(part.runs.end()));
    part.runs = {};
    given.note_late(part.given);
    planned.warnings.merge(part.warnings);
  }
  const auto for_runs = [&](const auto& body) {
    for_ranges(planned.runs.size(), [&](std::size_t from, std::size_t to, std::size_t) {
      for (std::size_t i = from; i < to; ++i) body(planned.runs[i]);
    });
  };
  if (given.any_late()) for_runs([&](PlannedRun& run) { given.add_late(run); });
  const RunNames names(given.keys(), planned.runs);
  planned.differing = names.names();
  for_runs([&](PlannedRun& run) { names.name(run); });
  return planned;
}

}  // namespace bitlaw
