#include "experiments/sweep/formula.h"

#include <fmt/format.h>
#include <muParser.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <utility>
#include <variant>

#include "core/base/closest.h"
#include "experiments/sweep/condition.h"
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/recipe_yaml.h"
#include "simulators/train/task_factory.h"

namespace bitlaw {
namespace {

std::string variable_name(std::string key) {
  std::replace(key.begin(), key.end(), '.', '_');
  return key;
}

/// The key that a name of a formula stands for, or null.
const ConfigKey* key_of(std::string_view name) {
  for (const ConfigKey& key : config_keys()) {
    if (variable_name(key.name) == name) return &key;
  }
  return nullptr;
}

std::vector<std::string> numeric_names() {
  std::vector<std::string> names{"params"};
  for (const ConfigKey& key : config_keys()) {
    if (key.type != ConfigKey::Type::Text) names.push_back(variable_name(key.name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

double number(const ConfigValue& value) {
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  return std::get<double>(value);
}

}  // namespace

/// Names that occur in a formula, with the place that muParser reads each from.
struct Formula::Terms {
  using Meaning = std::function<double(const TrainConfig&)>;
  struct Term {
    std::string name;
    Meaning meaning;
    double value = 0;
  };
  std::deque<Term> list;

  double* add(std::string name, Meaning meaning) {
    return &list.emplace_back(Term{std::move(name), std::move(meaning)}).value;
  }
};

Formula::~Formula() = default;

void Formula::refuse(const std::string& reason, const std::string& remedy) const {
  throw InputError(place_,
                   fmt::format("formula '{}' for {} cannot be evaluated ({}); {}", text_, what_, reason, remedy));
}

std::string Formula::without_words(const std::map<std::string, Recipe>& recipes) {
  const auto term_for = [&](const WordComparison& comparison) {
    YamlNode value;
    value.kind = YamlNode::Kind::Scalar;
    value.place = place_;
    value.text = comparison.word;
    Terms::Meaning meaning;
    if (comparison.name == "precision") {
      recipe_in(value, recipes);  // refuses a name that no recipe has
      meaning = [comparison](const TrainConfig& config) { return comparison.holds_for(config.recipe.name) ? 1 : 0; };
    } else {
      const ConfigKey* key = key_of(comparison.name);
      if (key == nullptr || key->type != ConfigKey::Type::Text) {
        refuse(fmt::format("'{}' is no key whose value is a word", comparison.name), "compare numbers without quotes");
      }
      TrainConfig scratch;
      key->set(scratch, value);  // refuses a word that the key cannot be
      WordComparison spelled = comparison;
      spelled.word = to_text(key->get(scratch));
      meaning = [key, spelled](const TrainConfig& config) {
        return spelled.holds_for(to_text(key->get(config))) ? 1 : 0;
      };
    }
    const std::string term = fmt::format("comparison_{}", terms_->list.size());
    parser_->DefineVar(term, terms_->add(term, meaning));
    return term;
  };
  return replace_word_comparisons(
      text_, term_for, [this](const std::string& reason, const std::string& advice) { refuse(reason, advice); });
}

Formula::Formula(const YamlNode& node, std::string what, const std::map<std::string, Recipe>& recipes)
    : place_(node.place),
      what_(std::move(what)),
      text_(text_in(node, what_)),
      terms_(std::make_unique<Terms>()),
      parser_(condition_parser()) {
  // Called by muParser for a name that it meets first.
  const auto lookup = [](const char* name, void* self) -> double* {
    const auto& formula = *static_cast<const Formula*>(self);
    const std::string word = name;
    if (word == "params") {
      return formula.terms_->add(word, [&formula](const TrainConfig& config) {
        const auto params = params_without_data(config);
        if (!params) formula.refuse("params is known only once the data are read", "leave it out");
        return static_cast<double>(*params);
      });
    }
    const ConfigKey* key = key_of(word);
    if (key != nullptr && key->type != ConfigKey::Type::Text) {
      return formula.terms_->add(word, [key](const TrainConfig& config) { return number(key->get(config)); });
    }
    if (key != nullptr || word == "precision") {
      formula.refuse(fmt::format("{} is a word", word), "compare it by == or != with a word in quotes: '...'");
    }
    formula.refuse(fmt::format("unknown name \"{}\"", word), remedy(word, numeric_names(), "it may use numbers and"));
  };
  try {
    parser_->SetVarFactory(lookup, this);
    parser_->SetExpr(without_words(recipes));
    parser_->Eval();  // compiles
  } catch (const mu::Parser::exception_type& error) {
    refuse(trimmed_message(error.GetMsg()), remedy(error.GetToken(), numeric_names(), "it may use numbers and"));
  }
}

double Formula::value(const TrainConfig& config) const {
  for (Terms::Term& term : terms_->list) term.value = term.meaning(config);
  return parser_->Eval();
}

bool Formula::holds(const TrainConfig& config) const {
  const double result = value(config);
  if (std::isnan(result)) refuse("it is not a number for one of the runs", "write a condition that holds or does not");
  has_held_ = has_held_ || result != 0;
  return result != 0;
}

}  // namespace bitlaw
