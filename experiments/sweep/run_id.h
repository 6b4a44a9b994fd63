#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/record/run_record.h"
#include "simulators/train/task_factory.h"

namespace bitlaw {

/// Raised when a change of the code changes the bits of runs, so that old results are not taken for new ones: an epoch
/// for all runs, and later ones of those runs alone whose bits they changed.
inline constexpr int kEpochOfAllRuns = 3;
inline constexpr int kEpochOfManyRandomBits = 4;  ///< other random bits where a rounding may need more than 16
inline constexpr int kNumericalEpoch = kEpochOfManyRandomBits;  ///< the last: of the program

/// The last epoch that changed the bits of this run, which is part of its id.
int numerical_epoch(const TrainConfig& config);

/// Every key that decides the run, defaults included and keys without meaning left out: config_keys(), `precision`
/// (the recipe's name), each of its slots (what it does) and the fingerprints of files. `config` has been resolved.
std::map<std::string, ConfigValue> resolved_values(const TrainConfig& config, const TaskData& data);

/// Run ids of many configurations, of which most resemble the one before.
///
/// An id is the fingerprint of numerical_epoch(), of the content of data files, and of the fingerprints of the sections
/// that a configuration has: the keys by what stands before their last dot, and the recipes. So a plan does the work of
/// a section once where its runs share it. Names do not count: neither the recipe's, since its slots do, nor those of
/// files, since their content does.
class RunIds {
 public:
  RunIds();

  /// Takes another configuration, which has been resolved.
  void read(const TrainConfig& config);

  /// Of the configuration that was read last, trained on data of this content.
  std::string id(const std::string& data_fingerprint) const;

  /// Names of the sections.
  const std::vector<std::string>& names() const { return names_; }
  /// Fingerprints of the sections of the configuration that was read last, in the order of names(); empty: it has none.
  const std::vector<std::string>& digests() const { return digests_; }

 private:
  /// Which sections of keys have another value than before; notes the values.
  std::vector<bool> changed_sections(const TrainConfig& config);
  void read_section(std::size_t section, std::string&& text);
  const std::string& text_of(const Recipe& recipe);

  std::vector<std::string> names_;
  // Of each row of config_keys():
  std::vector<std::size_t> section_of_key_;
  std::vector<bool> counts_;                        ///< whether its value does, and not a file's content
  std::vector<std::optional<ConfigValue>> values_;  ///< in the configuration that was read last, where it counts
  std::vector<std::string> texts_, digests_;
  std::vector<std::pair<Recipe, std::string>> recipes_;  ///< those met so far and what they do
  int epoch_ = 0;                                        ///< of the configuration that was read last
};

/// The id of one run.
std::string run_id(const TrainConfig& config, const TaskData& data);

}  // namespace bitlaw
