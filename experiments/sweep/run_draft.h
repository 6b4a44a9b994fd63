#pragma once

#include <map>
#include <string>
#include <vector>

#include "experiments/sweep/formula.h"
#include "experiments/sweep/yaml_node.h"
#include "simulators/train/train_config.h"

namespace bitlaw {

/// A run's configuration while a file gives it values, with the place that each came from.
class RunDraft {
 public:
  /// All stages replace what the file says; beyond that, a key may be set once.
  enum class Stage {
    File,
    Sweep,
    When,
    Derived
  };

  /// `file` is where values without a place of their own (defaults) are reported; `recipes` must outlive the draft.
  RunDraft(std::string file, const std::map<std::string, Recipe>& recipes);

  /// A draft that begins with the values of `base`, which outlives it.
  explicit RunDraft(const RunDraft* base);

  /// Sets the key `node.key` below `group` ("" for the root), which may itself be a group such as "model".
  /// InputError when there is no such key, the value does not fit, or the key has already been set in this stage.
  void assign(const YamlNode& node, Stage stage, const std::string& group = "");

  /// Assigns the formula's value to the key `node.key`, rounded to the nearest where that takes whole numbers.
  void derive(const YamlNode& node, const Formula& formula);

  /// The configuration with values that stand for others made explicit.
  TrainConfig resolved() const;

  /// Where the value of `key` was given; for a default, where its group begins, or the file.
  SourceLocation place(const std::string& key) const;

  /// Calls visit(key, place) for each key that is no default; those that this draft itself was given come first.
  template <typename Visit>
  void for_each_given(Visit visit) const {
    visit_own(visit);
    if (base_ != nullptr) base_->for_each_given(visit);
  }
  /// The same without those of the base.
  template <typename Visit>
  void visit_own(Visit visit) const {
    for (const auto& [key, origin] : origins_) visit(key, origin.place);
  }

 private:
  struct Origin {
    SourceLocation place;
    Stage stage;
  };
  void note_origin(const std::string& key, const YamlNode& node, Stage stage);
  const Origin* origin(const std::string& key) const;

  const RunDraft* base_ = nullptr;
  TrainConfig config_;
  std::map<std::string, Origin> origins_;  ///< of the values that this draft was given, not its base
  std::map<std::string, SourceLocation> groups_;
  std::string file_;
  const std::map<std::string, Recipe>* recipes_;
};

/// InputError where `node.key` is no key that a formula can give.
void check_derivable(const YamlNode& node);

}  // namespace bitlaw
