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
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/recipe_yaml.h"
#include "simulators/train/task_factory.h"

namespace bitlaw {
namespace {

constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

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

std::string trimmed(std::string message) {
  while (!message.empty() && (message.back() == '.' || message.back() == ' ')) message.pop_back();
  return message;
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
  std::string result;
  std::size_t done = 0;
  for (auto open = text_.find('\''); open != std::string::npos; open = text_.find('\'', done)) {
    const auto close = text_.find('\'', open + 1);
    if (close == std::string::npos) refuse("a quote is not closed", "write the word between two '");
    const std::string word = text_.substr(open + 1, close - open - 1);
    const std::string before = text_.substr(done, open - done);
    const auto sign = before.find_last_not_of(' ');
    const bool equal = sign != std::string::npos && sign > 0 && before.compare(sign - 1, 2, "==") == 0;
    const bool unequal = sign != std::string::npos && sign > 0 && before.compare(sign - 1, 2, "!=") == 0;
    const auto last = equal || unequal ? before.find_last_not_of(' ', sign - 2) : std::string::npos;
    if (last == std::string::npos) refuse(fmt::format("'{}' stands alone", word), "compare a key with it by == or !=");
    const auto first = before.find_last_not_of(kNameCharacters, last);
    const std::size_t start = first == std::string::npos ? 0 : first + 1;
    const std::string name = before.substr(start, last + 1 - start);

    YamlNode value;
    value.kind = YamlNode::Kind::Scalar;
    value.place = place_;
    value.text = word;
    Terms::Meaning meaning;
    if (name == "precision") {
      recipe_in(value, recipes);  // refuses a name that no recipe has
      meaning = [word, equal](const TrainConfig& config) { return (config.recipe.name == word) == equal ? 1 : 0; };
    } else {
      const ConfigKey* key = key_of(name);
      if (key == nullptr || key->type != ConfigKey::Type::Text) {
        refuse(fmt::format("'{}' is no key whose value is a word", name), "compare numbers without quotes");
      }
      TrainConfig scratch;
      key->set(scratch, value);  // refuses a word that the key cannot be
      meaning = [key, word = to_text(key->get(scratch)), equal](const TrainConfig& config) {
        return (to_text(key->get(config)) == word) == equal ? 1 : 0;
      };
    }
    const std::string term = fmt::format("comparison_{}", terms_->list.size());
    parser_->DefineVar(term, terms_->add(term, meaning));
    result += before.substr(0, start) + term;
    done = close + 1;
  }
  return result + text_.substr(done);
}

Formula::Formula(const YamlNode& node, std::string what, const std::map<std::string, Recipe>& recipes)
    : place_(node.place),
      what_(std::move(what)),
      text_(text_in(node, what_)),
      terms_(std::make_unique<Terms>()),
      parser_(std::make_unique<mu::Parser>()) {
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
    parser_->DefineInfixOprtChars("+-!not");
    parser_->DefineOprt(
        "and", [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; }, mu::prLAND);
    parser_->DefineOprt(
        "or", [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; }, mu::prLOR);
    parser_->DefineInfixOprt("not", [](double a) { return a == 0 ? 1.0 : 0.0; });
    parser_->SetVarFactory(lookup, this);
    parser_->SetExpr(without_words(recipes));
    parser_->Eval();  // compiles
  } catch (const mu::Parser::exception_type& error) {
    refuse(trimmed(error.GetMsg()), remedy(error.GetToken(), numeric_names(), "it may use numbers and"));
  }
}

double Formula::value(const TrainConfig& config) const {
  for (Terms::Term& term : terms_->list) term.value = term.meaning(config);
  return parser_->Eval();
}

bool Formula::holds(const TrainConfig& config) const {
  const double result = value(config);
  if (std::isnan(result)) refuse("it is not a number for one of the runs", "write a condition that holds or does not");
  return result != 0;
}

}  // namespace bitlaw
