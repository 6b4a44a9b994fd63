#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "experiments/sweep/axes.h"
#include "experiments/sweep/data_shelf.h"
#include "experiments/sweep/run_draft.h"

namespace bitlaw {

/// What a file says of its runs, from which each of them is made as often as it is asked for: a plan of 100,000 runs
/// would not want to hold their configurations. Any threads may ask.
class RunSource {
 public:
  /// `file` and `name`, the experiment's, are for messages. InputError for what is wrong with the file as a whole;
  /// values of single points are looked at when they are made.
  RunSource(const std::filesystem::path& file, YamlNode root, const std::string& name);

  /// Points of the sweep, those that rules leave out included.
  std::size_t points() const { return sweep_.points().size(); }

  /// All values given to the run of a point, or nothing where include and exclude leave it out. Refers to this object.
  std::optional<RunDraft> draft(std::size_t point) const;

  /// The data of draft(point), whose resolved() `config` is.
  std::shared_ptr<const TaskData> data(const RunDraft& draft, const TrainConfig& config) const;

  /// Once draft() has been called for all points: what of the sweep's rules has had no effect.
  std::vector<std::string> warnings() const { return sweep_.warnings(); }

  const YamlNode& root() const { return root_; }

 private:
  YamlNode root_;
  std::map<std::string, Recipe> recipes_;
  RunDraft base_;
  Sweep sweep_;
  mutable std::mutex mutex_;  ///< of the shelf, and of the sweep's formulas, which are evaluated in place
  mutable DataShelf shelf_;
};

}  // namespace bitlaw
