#include "experiments/cli/fit_request.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/record/sweep_file.h"
#include "experiments/cli/fit_data.h"
#include "experiments/launch/fits.h"
#include "fitting/fit/fit.h"

namespace bitlaw {
namespace {

void add(YamlNode& map, const std::string& key, const std::string& value, const std::string& place) {
  map.kind = YamlNode::Kind::Map;
  YamlNode child = parse_value(value, place);
  child.key = key;
  child.key_place = child.place;
  map.children.push_back(std::move(child));
}

std::string flag_of(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return "--" + key;
}

/// What --map names besides roles: the inputs of a formula.
std::vector<std::string> inputs_mapped(const FitRequest& request) {
  std::vector<std::string> inputs;
  for (const auto& [name, column] : items_of_map(request.columns)) {
    if (!is_role(name)) inputs.push_back(name);
  }
  return inputs;
}

}  // namespace

FitSpec fit_spec_of(const FitRequest& request) {
  YamlNode fit;
  fit.place.file = "bitlaw fit";
  if (!request.law.empty()) add(fit, "law", request.law, "--law " + request.law);
  if (!request.formula.empty()) {
    YamlNode formula;
    formula.kind = YamlNode::Kind::Scalar;
    formula.text = request.formula;
    formula.key = "formula";
    formula.place.file = "--formula";
    fit.kind = YamlNode::Kind::Map;
    fit.children.push_back(std::move(formula));
    add(fit, "inputs", fmt::format("[{}]", fmt::join(inputs_mapped(request), ", ")), "--map " + request.columns);
  }
  if (!request.per.empty()) add(fit, "per", request.per, "--per " + request.per);
  for (const auto& [key, value] : request.options) add(fit, key, value, flag_of(key) + " " + value);
  for (const auto& [flag, field, conditions] :
       {std::tuple{"where", "where", &request.where}, std::tuple{"fixed", "fixed", &request.fixed},
        std::tuple{"parameter", "parameters", &request.parameters}}) {
    YamlNode map;
    map.key = field;
    for (const std::string& condition : *conditions) {
      const std::string typed = fmt::format("--{}", flag);
      const auto [key, value] = key_and_value(typed, condition);
      add(map, key, value, typed + " " + condition);
    }
    if (!map.children.empty()) fit.children.push_back(std::move(map));
  }
  return fit_spec_in(fit);
}

std::vector<FitRecord> fits_asked(const FitRequest& request, int threads) {
  const FitSpec spec = fit_spec_of(request);
  if (!is_csv(request.file) && request.columns.empty()) {
    return fit_runs(spec, read_sweep_file(request.file).runs, threads);
  }
  std::vector<FitRecord> fits;
  for (const FitData& data : data_asked(request, spec)) {
    try {
      fits.push_back(fit_law(law_of(spec), data.observations, fit_options(spec, threads), data.name));
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}: {}", request.file, error.what()));
    }
  }
  return fits;
}

}  // namespace bitlaw
