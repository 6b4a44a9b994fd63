#include "experiments/sweep/fit_spec.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "core/base/closest.h"
#include "experiments/sweep/config_keys.h"
#include "fitting/laws/law.h"

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
  std::set<std::string> known;
  for (const RunRecord& run : runs) {
    for (const auto& [name, value] : run.config) known.insert(name);
  }
  if (!known.contains(key)) {
    const std::vector<std::string> names(known.begin(), known.end());
    throw InputError(place, fmt::format("no run has a configuration key '{}', so the fit would select by nothing; {}",
                                        key, remedy(key, names)));
  }
}

bool selects(const FitSpec& spec, const RunRecord& run) {
  return std::all_of(spec.where.begin(), spec.where.end(), [&](const auto& condition) {
    const auto found = run.config.find(condition.first);
    const std::vector<std::string>& values = condition.second.values;
    return found != run.config.end() && std::any_of(values.begin(), values.end(), [&](const std::string& text) {
             return equals(found->second, text);
           });
  });
}

}  // namespace

FitSpec fit_spec_in(const YamlNode& node) {
  const YamlNode* law_node = node.find("law");
  map_in(node, "a fit");
  if (law_node == nullptr) {
    throw InputError(node.place, fmt::format("this fit names no law, so there is nothing to fit; add law: with one of "
                                             "{}",
                                             fmt::join(law_names(), ", ")));
  }
  const Law& law = law_in(*law_node);
  FitSpec spec;
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
    } else if (field.key != "law") {
      refuse_key(field, "a fit", {"law", "name", "where", "per", "fixed", "bootstrap", "huber_delta"});
    }
  }
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
      const auto value = runs[i].config.find(spec.per);
      name += "_" + (value == runs[i].config.end() ? "none" : to_text(value->second));
    }
    auto group = std::find_if(groups.begin(), groups.end(), [&](const FitGroup& g) { return g.name == name; });
    if (group == groups.end()) group = groups.insert(groups.end(), {name, {}});
    group->runs.push_back(i);
  }
  if (groups.empty()) {
    throw InputError(
        spec.place, fmt::format("fit '{}' selects no run, so there is nothing to fit; correct its 'where'", spec.name));
  }
  return groups;
}

}  // namespace bitlaw
