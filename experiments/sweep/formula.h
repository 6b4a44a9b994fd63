#pragma once

#include <map>
#include <memory>
#include <string>

#include "experiments/sweep/yaml_node.h"
#include "simulators/train/train_config.h"

namespace mu {
class Parser;
}

namespace bitlaw {

/// A formula of an experiment file over the values of a run: "20 * params", "model_width >= 64 and precision !=
/// 'nvfp4'".
///
/// muParser's language with `and`, `or`, `not` beside && and ||. Names are `params` (N, without embedding and head) and
/// the numeric keys with underscores for dots. A key whose value is a word, `precision` included, can only be compared
/// by == or != with a word in quotes; the comparison is 1 or 0.
class Formula {
 public:
  /// `node` is the text; `what` it is for ("training.tokens", "sweep.exclude") goes into messages. `recipes` are those
  /// of the file by name. InputError where the syntax is wrong, a name unknown, or a word none that its key can be.
  Formula(const YamlNode& node, std::string what, const std::map<std::string, Recipe>& recipes);
  ~Formula();
  Formula(const Formula&) = delete;  // what it has compiled refers to this object
  Formula& operator=(const Formula&) = delete;

  /// Infinite or NaN where arithmetic says so. InputError when `params` is asked of a model whose size only its data
  /// tell. `config` has been resolved.
  double value(const TrainConfig& config) const;

  /// Whether the value is other than 0. InputError for NaN.
  bool holds(const TrainConfig& config) const;
  /// Whether holds() has ever said so.
  bool has_held() const { return has_held_; }

  const std::string& text() const { return text_; }
  const SourceLocation& place() const { return place_; }

 private:
  struct Terms;
  /// The text with every comparison of words replaced by a name for its outcome.
  std::string without_words(const std::map<std::string, Recipe>& recipes);
  [[noreturn]] void refuse(const std::string& reason, const std::string& remedy) const;

  SourceLocation place_;
  std::string what_, text_;
  mutable bool has_held_ = false;
  std::unique_ptr<Terms> terms_;        ///< what the names stand for; addresses are fixed
  std::unique_ptr<mu::Parser> parser_;  ///< compiled, bound to `terms_`
};

}  // namespace bitlaw
