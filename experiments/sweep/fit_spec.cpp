#include "experiments/sweep/fit_spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <set>
#include <utility>

#include "core/base/closest.h"
#include "core/base/enum_name.h"
#include "core/record/run_groups.h"
#include "experiments/sweep/config_keys.h"
#include "fitting/laws/law.h"
#include "fitting/laws/text_law.h"

namespace bitlaw {
namespace {

const Law& law_in(const YamlNode& node) {
  const std::string name = text_in(node, "law");
  return at_place(node.place, [&]() -> const Law& { return find_law(name); });
}

std::map<std::string, double> fixed_in(const YamlNode& node, const Law& law) {
  std::vector<std::string> names;
  for (const LawParameter& parameter : law.parameters()) names.emplace_back(parameter.name);
  std::map<std::string, double> fixed;
  for (const YamlNode& entry : map_in(node, "fixed")) {
    const auto found = std::find(names.begin(), names.end(), entry.key);
    if (found == names.end()) {
      throw InputError(entry.key_place, fmt::format("law '{}' has no parameter '{}', so it cannot be held; {}",
                                                    law.name(), entry.key, remedy(entry.key, names)));
    }
    const LawParameter& parameter = law.parameters()[static_cast<std::size_t>(found - names.begin())];
    fixed.emplace(entry.key, number_in(entry, "fixed." + entry.key, parameter.lower, parameter.upper));
  }
  return fixed;
}

std::map<std::string, FitCondition> where_in(const YamlNode& node) {
  std::map<std::string, FitCondition> where;
  for (const YamlNode& entry : map_in(node, "where")) {
    auto& [values, place] = where[entry.key];
    place = entry.key_place;
    if (entry.kind != YamlNode::Kind::List) {
      values.push_back(text_in(entry, "where." + entry.key));
    } else {
      for (const YamlNode& value : entry.children) values.push_back(text_in(value, "a value of where." + entry.key));
    }
  }
  return where;
}

void require_key(const std::string& key, const SourceLocation& place, std::span<const RunRecord> runs) {
  std::set<std::string> known{kTaskKey};
  for (const RunRecord& run : runs) {
    for (const auto& [name, value] : run.config) known.insert(name);
  }
  if (!known.contains(key)) {
    const std::vector<std::string> names(known.begin(), known.end());
    throw InputError(place, fmt::format("no run has a configuration key '{}', so the fit would select by nothing; {}",
                                        key, remedy(key, names)));
  }
}

/// What the run's configuration has under `key`, if anything.
std::optional<ConfigValue> value_under(const RunRecord& run, const std::string& key) {
  if (key == kTaskKey) return task_of(run);
  const auto found = run.config.find(key);
  return found == run.config.end() ? std::nullopt : std::optional(found->second);
}

bool selects(const FitSpec& spec, const RunRecord& run) {
  return std::all_of(spec.where.begin(), spec.where.end(), [&](const auto& condition) {
    const std::optional<ConfigValue> value = value_under(run, condition.first);
    const std::vector<std::string>& values = condition.second.values;
    return value &&
           std::any_of(values.begin(), values.end(), [&](const std::string& text) { return equals(*value, text); });
  });
}

constexpr std::array<EnumName<Loss>, 4> kLosses{{{"huber", Loss::Huber},
                                                 {"least_squares", Loss::LeastSquares},
                                                 {"huber_likelihood", Loss::HuberLikelihood},
                                                 {"student_t", Loss::StudentT}}};
constexpr std::array<EnumName<Residual>, 2> kResiduals{{{"log", Residual::Log}, {"plain", Residual::Plain}}};
constexpr std::array<EnumName<Resampling>, 3> kResamplings{
    {{"runs", Resampling::Runs}, {"residuals", Resampling::Residuals}, {"parametric", Resampling::Parametric}}};
constexpr std::array<EnumName<Search>, 4> kSearches{{{"automatic", Search::Automatic},
                                                     {"grid", Search::Grid},
                                                     {"projection", Search::Projection},
                                                     {"sobol", Search::Sobol}}};
constexpr std::array<EnumName<Transform>, 2> kTransforms{{{"log", Transform::Log}, {"identity", Transform::Identity}}};
constexpr std::array<EnumName<bool>, 2> kFlags{{{"true", true}, {"false", false}}};

/// The options of a fit by key; whether the key is one of them.
bool read_option(const YamlNode& field, FitOptions& options) {
  const std::string& key = field.key;
  ObjectiveSpec& objective = options.objective;
  if (key == "objective") {
    objective.loss = choice_in(field, key, kLosses);
  } else if (key == "residual") {
    objective.residual = choice_in(field, key, kResiduals);
  } else if (key == "freedom") {
    objective.freedom = number_in(field, key, 0.1, 1e6);
  } else if (key == "over_factor") {
    objective.over_factor = number_in(field, key, 1e-6, 1e6);
  } else if (key == "resample") {
    options.resampling = choice_in(field, key, kResamplings);
  } else if (key == "level") {
    options.level = number_in(field, key, 0.01, 0.9999);
  } else if (key == "seed_noise") {
    options.seed_noise = number_in(field, key, 0, 1e3);
  } else if (key == "seed") {
    options.seed = static_cast<std::uint64_t>(integer_in(field, key, 0, 1'000'000'000'000));
  } else if (key == "profile") {
    options.profile = choice_in(field, key, kFlags);
  } else if (key == "jackknife") {
    options.jackknife = choice_in(field, key, kFlags);
  } else if (key == "compute") {
    options.compute = number_in(field, key, 1, 1e40);
  } else if (key == "search") {
    options.search = choice_in(field, key, kSearches);
  } else if (key == "starts") {
    options.starts = static_cast<int>(integer_in(field, key, 1, 1'000'000));
  } else if (key == "halving") {
    options.halving = choice_in(field, key, kFlags);
  } else {
    return false;
  }
  return true;
}

bool describes_law(std::string_view key) {
  return key == "law" || key == "formula" || key == "inputs" || key == "parameters";
}

ParameterText parameter_text_in(const YamlNode& node) {
  ParameterText text;
  constexpr double kLargest = 1e300;
  for (const YamlNode& field : map_in(node, node.key)) {
    if (field.key == "transform") {
      text.transform = choice_in(field, "transform", kTransforms);
    } else if (field.key == "lower") {
      text.lower = number_in(field, "lower", -kLargest, kLargest);
    } else if (field.key == "upper") {
      text.upper = number_in(field, "upper", -kLargest, kLargest);
    } else if (field.key == "linear") {
      text.linear = choice_in(field, "linear", kFlags);
    } else if (field.key == "starts") {
      for (const YamlNode& start : list_in(field, "starts")) {
        text.starts.push_back(number_in(start, "a start", -kLargest, kLargest));
      }
    } else {
      refuse_key(field, "a parameter", {"transform", "lower", "upper", "linear", "starts"});
    }
  }
  return text;
}

/// The law that `formula`, `inputs` and `parameters` of a fit describe.
std::shared_ptr<const Law> written_law_in(const YamlNode& node, const YamlNode& formula) {
  LawText text{.formula = text_in(formula, "formula")};
  const YamlNode* inputs = node.find("inputs");
  if (inputs == nullptr) {
    throw InputError(formula.place,
                     "a formula needs inputs, or every name in it would be a parameter; add inputs: [N, D]");
  }
  for (const YamlNode& input : list_in(*inputs, "inputs")) text.inputs.push_back(text_in(input, "an input"));
  if (const YamlNode* parameters = node.find("parameters")) {
    for (const YamlNode& entry : map_in(*parameters, "parameters")) {
      text.parameters.emplace(entry.key, parameter_text_in(entry));
    }
  }
  return at_place(formula.place, [&] { return std::shared_ptr<const Law>(text_law(text)); });
}

/// Refuses a setting that the objective has no use for.
void check_used(const YamlNode& fit, const ObjectiveSpec& objective) {
  const auto refuse = [&](const char* key, const char* users) {
    const YamlNode* field = fit.find(key);
    if (field == nullptr) return;
    throw InputError(field->place, fmt::format("{} means something with objective {} only, so it would be ignored; "
                                               "delete it or set that objective",
                                               key, users));
  };
  if (objective.loss != Loss::Huber && objective.loss != Loss::HuberLikelihood) {
    refuse("huber_delta", "huber or huber_likelihood");
  }
  if (objective.loss != Loss::StudentT) refuse("freedom", "student_t");
}

}  // namespace

const Law& law_of(const FitSpec& spec) { return spec.written ? *spec.written : find_law(spec.law); }

FitOptions fit_options(const FitSpec& spec, int threads) {
  FitOptions options = spec.options;
  options.objective.delta = spec.huber_delta;
  options.bootstrap = spec.bootstrap;
  options.fixed = spec.fixed;
  options.threads = threads;
  return options;
}

FitSpec fit_spec_in(const YamlNode& node, std::shared_ptr<const Law> made) {
  const YamlNode *law_node = node.find("law"), *formula = node.find("formula");
  map_in(node, "a fit");
  if (law_node == nullptr && formula == nullptr && made == nullptr) {
    throw InputError(node.place,
                     "this fit names no law, so there is nothing to fit; add law: chinchilla, another that bitlaw fit "
                     "--help lists, or formula:");
  }
  if (law_node != nullptr && formula != nullptr) {
    throw InputError(node.place, "this fit names a law and a formula, so it is not clear which to fit; delete one");
  }
  FitSpec spec;
  spec.written = formula != nullptr ? written_law_in(node, *formula) : std::move(made);
  const Law& law = spec.written ? *spec.written : law_in(*law_node);
  spec.law = spec.name = law.name();
  spec.place = node.place;
  for (const YamlNode& field : node.children) {
    if (field.key == "name") {
      spec.name = text_in(field, "name");
    } else if (field.key == "where") {
      spec.where = where_in(field);
    } else if (field.key == "per") {
      spec.per = text_in(field, "per");
      spec.per_place = field.place;
    } else if (field.key == "fixed") {
      spec.fixed = fixed_in(field, law);
    } else if (field.key == "bootstrap") {
      spec.bootstrap = static_cast<int>(integer_in(field, "bootstrap", 0, 1'000'000));
    } else if (field.key == "huber_delta") {
      spec.huber_delta = number_in(field, "huber_delta", 1e-12, 1e12);
    } else if (!read_option(field, spec.options) && !describes_law(field.key)) {
      refuse_key(field, "a fit", {"law",         "name",      "where",    "per",       "fixed",       "bootstrap",
                                  "huber_delta", "objective", "residual", "freedom",   "over_factor", "resample",
                                  "seed_noise",  "seed",      "profile",  "jackknife", "compute",     "search",
                                  "starts",      "halving",   "formula",  "inputs",    "parameters",  "level"});
    }
  }
  check_used(node, spec.options.objective);
  return spec;
}

std::vector<FitSpec> fit_specs_in(const YamlNode& fits) {
  std::vector<FitSpec> specs;
  if (fits.kind == YamlNode::Kind::Null) return specs;
  for (const YamlNode& entry : list_in(fits, "fits")) specs.push_back(fit_spec_in(entry));
  return specs;
}

bool equals(const ConfigValue& value, std::string_view text) {
  double number = 0;
  if (parses_as_number(text, number)) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole) == number;
    if (const auto* real = std::get_if<double>(&value)) return *real == number;
  }
  return to_text(value) == text;
}

std::vector<FitGroup> fit_groups(const FitSpec& spec, std::span<const RunRecord> runs) {
  for (const auto& [key, condition] : spec.where) require_key(key, condition.place, runs);
  if (!spec.per.empty()) require_key(spec.per, spec.per_place, runs);
  std::vector<FitGroup> groups;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!selects(spec, runs[i])) continue;
    std::string name = spec.name;
    if (!spec.per.empty()) {
      const std::optional<ConfigValue> value = value_under(runs[i], spec.per);
      name += "_" + (value ? to_text(*value) : "none");
    }
    auto group = std::find_if(groups.begin(), groups.end(), [&](const FitGroup& g) { return g.name == name; });
    if (group == groups.end()) group = groups.insert(groups.end(), {name, {}});
    group->runs.push_back(i);
    check_same_task(group->name, runs[group->runs.front()], runs[i], spec.place);
  }
  if (groups.empty()) {
    throw InputError(
        spec.place, fmt::format("fit '{}' selects no run, so there is nothing to fit; correct its 'where'", spec.name));
  }
  return groups;
}

void check_same_task(const std::string& fit, const RunRecord& first, const RunRecord& other,
                     const SourceLocation& place) {
  const std::string task = task_of(first), second = task_of(other);
  if (task == second) return;
  throw InputError(place, fmt::format("fit '{}' takes runs of the tasks {} and {}, whose losses are different "
                                      "quantities, so no law describes both; choose one by 'where' (task={}), or fit "
                                      "each by 'per' (task)",
                                      fit, task, second, task));
}

}  // namespace bitlaw
