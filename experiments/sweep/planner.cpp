#include "experiments/sweep/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

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

/// Keys, among those that runs were given, of which a run has another value than the first run has.
class DifferingKeys {
 public:
  /// `config` is the resolved configuration of the first run.
  DifferingKeys(const RunDraft& draft, const TrainConfig& config) : first_(config) {
    draft.for_each_given([&](const std::string& key, const SourceLocation&) { watch(key); });
  }

  /// Another run. Keys that only it was given are compared with the first run's from here on.
  void add(const RunDraft& draft, const TrainConfig& config) {
    draft.visit_own([&](const std::string& key, const SourceLocation&) {
      if (differing_.contains(key) || same_.contains(key)) return;
      watch(key);
      late_.insert(key);
    });
    std::erase_if(same_, [&](const auto& entry) {
      const auto& [name, known] = entry;
      if (known.key.text(config) == known.first) return false;
      differing_.insert(name);
      return true;
    });
  }

  /// The runs of another object that began with the same first run.
  void add(const DifferingKeys& others) {
    differing_.insert(others.differing_.begin(), others.differing_.end());
    late_.insert(others.late_.begin(), others.late_.end());
  }

  /// In alphabetical order. Looks at the runs again for keys that the first of them was not given.
  std::vector<std::string> names(const std::vector<PlannedRun>& runs) const {
    std::set<std::string> names = differing_;
    for (const std::string& name : late_) {
      if (names.contains(name)) continue;
      const GivenKey key(name);
      const std::string first = key.text(first_);
      const auto differs = [&](const PlannedRun& run) {
        return key.text(run.source->draft(run.point)->resolved()) != first;
      };
      if (std::any_of(runs.begin(), runs.end(), differs)) names.insert(name);
    }
    return {names.begin(), names.end()};
  }

 private:
  struct Known {
    GivenKey key;
    std::string first;  ///< its text in the first run
  };
  void watch(const std::string& name) {
    const GivenKey key(name);
    same_.emplace(name, Known{key, key.text(first_)});
  }

  TrainConfig first_;
  std::map<std::string, Known> same_;  ///< so far
  std::set<std::string> late_;         ///< not given to the first run, so that runs in between were not compared
  std::set<std::string> differing_;
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
      found->second = {task_counts(config, data), run_work(config, data)};
    }
    return found->second;
  }

  std::shared_ptr<const RunSource> source_;
  RunIds ids_;
  std::vector<bool> is_training_;  ///< of each section of ids_
  std::unordered_map<std::string, Size> sizes_;
};

/// Tells what each run is beside the others, once it is known in what they differ.
class RunNames {
 public:
  explicit RunNames(const std::vector<std::string>& differing) {
    for (const std::string& key : differing) keys_.push_back({GivenKey(key), short_name(key, differing) + "="});
  }

  void name(PlannedRun& run) const {
    const TrainConfig config = run.source->draft(run.point)->resolved();
    run.values.reserve(keys_.size());
    for (const Key& key : keys_) {
      const std::string& value = run.values.emplace_back(key.key.text(config));
      if (value == "-") continue;
      if (!run.label.empty()) run.label += ", ";
      run.label += key.short_name + value;
    }
  }

 private:
  struct Key {
    GivenKey key;
    std::string short_name;
  };
  std::vector<Key> keys_;
};

/// Calls body(first, last, part) for ranges that cover [0, count) and depend on count alone, on all cores.
template <typename Body>
void for_ranges(std::size_t count, const Body& body) {
  const std::size_t parts = (count + kPointsAtATime - 1) / kPointsAtATime;
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
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
    DifferingKeys differing;
  };
  const DifferingKeys begin(*draft, draft->resolved());
  const std::size_t count = source->points() - first;
  std::vector<Part> parts((count - 1) / kPointsAtATime + 1, Part{{}, begin});
  for_ranges(count, [&](std::size_t from, std::size_t to, std::size_t number) {
    Part& part = parts[number];
    Planner planner(source);
    for (std::size_t point = first + from; point < first + to; ++point) {
      const std::optional<RunDraft> next = source->draft(point);
      if (!next) continue;
      const TrainConfig config = next->resolved();
      part.runs.push_back(planner.plan(point, *next, config));
      part.differing.add(*next, config);
    }
  });

  PlannedPoints planned;
  DifferingKeys differing = begin;
  for (Part& part : parts) {
    planned.runs.insert(planned.runs.end(), std::move_iterator(part.runs.begin()), std::move_iterator(part.runs.end()));
    part.runs = {};
    differing.add(part.differing);
  }
  planned.differing = differing.names(planned.runs);
  const RunNames names(planned.differing);
  for_ranges(planned.runs.size(), [&](std::size_t from, std::size_t to, std::size_t) {
    for (std::size_t i = from; i < to; ++i) names.name(planned.runs[i]);
  });
  return planned;
}

}  // namespace bitlaw
