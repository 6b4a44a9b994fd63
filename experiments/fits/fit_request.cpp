#include "experiments/fits/fit_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>

#include "core/base/file.h"
#include "experiments/sweep/condition.h"

namespace bitlaw {
namespace {

void add(YamlNode& map, const std::string& key, const std::string& value, const std::string& place) {
  map.kind = YamlNode::Kind::Map;
  YamlNode child = parse_value(value, place);
  child.key = key;
  child.key_place = child.place;
  map.children.push_back(std::move(child));
}

std::string example_of(const std::string& flag) {
  if (flag == "--map") return "N=params";
  if (flag == "--fix") return "E=1.5";
  return flag == "--set" ? "lambda=0.999" : "precision=mxfp4";
}

/// What --map names besides roles: the inputs of a formula.
std::vector<std::string> inputs_mapped(const FitRequest& request) {
  std::vector<std::string> inputs;
  for (const auto& [name, column] : items_of_map(request)) {
    if (!is_role(name)) inputs.push_back(name);
  }
  for (const auto& [name, value] : settings_of(request)) inputs.push_back(name);
  return inputs;
}

/// InputError for a .json: no table, maybe a fit.
void refuse_json(const std::string& file) {
  if (std::filesystem::path(file).extension() != ".json") return;
  const auto document = nlohmann::json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (document.contains("parameters") || document.contains("fits")) {
    throw InputError(
        fmt::format("{}: holds a fit, not the losses that one is made from, so there is nothing to fit; give those, or "
                    "ask the fit: bitlaw predict, bitlaw optimum",
                    file));
  }
  throw InputError(
      fmt::format("{}: is no table, so it has no rows to fit; give sweep.h5, a .csv or .tsv, or a .jsonl, one object a "
                  "line",
                  file));
}

/// `key: {name: value, ...}` of "name=value" texts.
void add_map(YamlNode& fit, const std::string& flag, const std::string& key, const std::vector<std::string>& texts) {
  YamlNode map;
  map.key = key;
  for (const std::string& text : texts) {
    const auto [name, value] = key_and_value(flag, text);
    if (std::any_of(map.children.begin(), map.children.end(), [&](const YamlNode& node) { return node.key == name; })) {
      refuse_given_twice(flag + " " + text, name);
    }
    add(map, name, value, flag + " " + text);
  }
  if (!map.children.empty()) fit.children.push_back(std::move(map));
}

}  // namespace

std::string flag_of(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key;
}

std::vector<std::string> FitRequest::files() const {
  std::vector<std::string> files = words;
  if (formula.empty() && !files.empty()) files.erase(files.begin());
  if (files.empty()) {
    throw InputError(
        formula.empty()
            ? fmt::format("no data file is named beside '{}', so there is nothing to fit; write the law and its data, "
                          "bitlaw fit chinchilla runs.csv",
                          law())
            : "no data file is named, so there is nothing to fit; write it behind the formula");
  }
  for (const std::string& file : files) refuse_json(file);
  return files;
}

FitSpec fit_spec_of(const FitRequest& request, std::shared_ptr<const Law> law) {
  YamlNode fit;
  fit.kind = YamlNode::Kind::Map;
  fit.place.file = "bitlaw fit";
  if (law == nullptr && !request.law().empty()) add(fit, "law", request.law(), "bitlaw fit");
  if (!request.formula.empty()) {
    YamlNode formula;
    formula.kind = YamlNode::Kind::Scalar;
    formula.text = request.formula;
    formula.key = "formula";
    formula.place.file = "--formula";
    fit.children.push_back(std::move(formula));
    const std::vector<std::string> inputs = inputs_mapped(request);
    if (inputs.empty()) {
      throw InputError(fmt::format(
          "--formula {}: no column is mapped to any of its names, so it would be fitted as a constant; name "
          "its inputs, for example --map N=params",
          request.formula));
    }
    add(fit, "inputs", fmt::format("[{}]", fmt::join(inputs, ", ")), "--map");
  }
  if (!request.per.empty()) add(fit, "per", request.per, "--per " + request.per);
  for (const auto& [key, value] : request.options) add(fit, key, value, flag_of(key) + " " + value);
  std::vector<std::string> conditions;
  for (const std::string& where : request.where) {
    if (!is_condition(where)) conditions.push_back(where);
  }
  add_map(fit, "--where", "where", conditions);
  add_map(fit, "--fix", "fixed", request.fixed);
  add_map(fit, "--parameter", "parameters", request.parameters);
  return fit_spec_in(fit, std::move(law));
}

std::pair<std::string, std::string> key_and_value(const std::string& flag, const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw InputError(fmt::format("{} {}: is not key=value, so it says nothing; write for example {} {}", flag, text,
                                 flag, example_of(flag)));
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

bool is_condition(const std::string& where) { return !assigns(where); }

std::vector<std::pair<std::string, std::string>> items_of_map(const FitRequest& request) {
  std::vector<std::pair<std::string, std::string>> items;
  for (std::string_view rest : request.columns) {
    while (!rest.empty()) {
      const std::string_view text = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), text.size() + 1));
      auto item = key_and_value("--map", std::string(text));
      if (std::any_of(items.begin(), items.end(), [&](const auto& other) { return other.first == item.first; })) {
        refuse_given_twice(fmt::format("--map {}", text), item.first);
      }
      items.push_back(std::move(item));
    }
  }
  return items;
}

std::map<std::string, std::string> settings_of(const FitRequest& request) {
  std::map<std::string, std::string> settings;
  for (const std::string& text : request.set) {
    const auto [key, value] = key_and_value("--set", text);
    if (!settings.emplace(key, value).second) refuse_given_twice("--set " + text, key);
  }
  return settings;
}

bool is_role(const std::string& name) { return name == "loss" || name == "run" || name == "weight"; }

}  // namespace bitlaw
