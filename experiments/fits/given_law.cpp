#include "experiments/fits/given_law.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/closest.h"
#include "core/base/file.h"
#include "core/base/limits.h"
#include "core/record/fit_json.h"
#include "core/record/sweep_file.h"
#include "experiments/fits/fit_request.h"
#include "fitting/laws/expression.h"
#include "fitting/laws/text_law.h"

namespace bitlaw {
namespace {

std::vector<std::string> parameter_names(const Law& law) {
  std::vector<std::string> names;
  for (const LawParameter& parameter : law.parameters()) names.emplace_back(parameter.name);
  return names;
}

std::map<std::string, double> values_in_json(const std::string& file) {
  try {
    const nlohmann::json document = nlohmann::json::parse(read_file(file));
    std::map<std::string, double> values;
    const nlohmann::json& parameters = document.contains("parameters") ? document.at("parameters") : document;
    for (const auto& [name, value] : parameters.items()) {
      values[name] = value.is_object() ? value.at("estimate").get<double>() : value.get<double>();
    }
    return values;
  } catch (const nlohmann::json::exception& error) {
    throw InputError(fmt::format(
        "--params {}: holds no coefficients ({}); give a fit's --json or {{\"A\": 406.4, ...}}", file, error.what()));
  }
}

std::map<std::string, double> values_in_text(const std::string& text) {
  std::map<std::string, double> values;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const auto [name, number] = key_and_value("--params", std::string(item));
    double value = 0;
    if (!parses_as_number(number, value)) {
      throw InputError(
          fmt::format("--params {}: gives '{}' no number; write each once, as A=406.4,alpha=0.34", text, name));
    }
    if (!values.emplace(name, value).second) refuse_given_twice("--params " + text, name);
  }
  return values;
}

std::vector<double> published_values(const Law& law, const std::string& name) {
  std::vector<std::string> names;
  for (const PublishedFit& fit : law.published()) {
    if (fit.name == name || name == kFirstPublished) return fit.values;
    names.emplace_back(fit.name);
  }
  throw InputError(fmt::format("--published {}: law '{}' has no printed coefficients of this name; {}", name,
                               law.name(), names.empty() ? "give them with --params" : remedy(name, names)));
}

}  // namespace

std::vector<double> coefficients_of(const Law& law, const GivenCoefficients& given) {
  if (given.params.empty() == given.published.empty()) {
    throw InputError(
        fmt::format("law '{}': needs its coefficients once, so that there is something to evaluate; give "
                    "--params or --published",
                    law.name()));
  }
  if (!given.published.empty()) return published_values(law, given.published);
  const bool file = std::filesystem::path(given.params).extension() == ".json";
  const auto values = file ? values_in_json(given.params) : values_in_text(given.params);
  const std::vector<std::string> names = parameter_names(law);
  for (const auto& [name, value] : values) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw InputError(fmt::format("--params {}: law '{}' has no parameter '{}'; {}", given.params, law.name(), name,
                                   remedy(name, names)));
    }
  }
  std::vector<double> natural;
  for (const LawParameter& parameter : law.parameters()) {
    const auto found = values.find(std::string(parameter.name));
    if (found == values.end()) {
      throw InputError(fmt::format("--params {}: lacks {}, so law '{}' has no value; it needs {}", given.params,
                                   parameter.name, law.name(), fmt::join(names, ", ")));
    }
    const double value = found->second;
    if (!std::isfinite(value) || (parameter.transform == Transform::Log && !(value > 0))) {
      throw InputError(fmt::format("--params {}: {} is {}, with which law '{}' has no value; give a {} number",
                                   given.params, parameter.name, value, law.name(),
                                   parameter.transform == Transform::Log ? "positive" : "finite"));
    }
    natural.push_back(value);
  }
  return natural;
}

FitRecord fit_of_coefficients(const Law& law, const std::vector<double>& natural) {
  FitRecord fit;
  fit.law = law.name();
  fit.objective = "on log loss";
  for (const double value : natural) fit.parameters.push_back({.name = "", .units = "", .estimate = value});
  return fit;
}

bool is_fit_file(const std::string& word) {
  const auto extension = std::filesystem::path(word).extension();
  return extension == ".json" || extension == ".h5" || extension == ".hdf5";
}

FitRecord read_fit(const std::string& file) {
  if (std::filesystem::path(file).extension() == ".json") return fit_from_json(read_file(file), file);
  std::vector<FitRecord> fits = read_fit_file(file);
  if (fits.size() != 1) {
    throw InputError(
        fmt::format("{}: holds {} fits, so it is not clear which shall predict; give the file of one, "
                    "bitlaw fit --hdf5",
                    file, fits.size()));
  }
  return std::move(fits.front());
}

void check_beside_fit(const GivenCoefficients& given, const std::string& file) {
  if (given.params.empty() && given.published.empty()) return;
  throw InputError(
      fmt::format("--params, --published: {} is a fit, which has its own coefficients, so they would be ignored; leave "
                  "them out, or give the law's name instead of the fit",
                  file));
}

std::shared_ptr<const Law> law_of_fit(const FitRecord& fit) {
  const LawText text{.formula = fit.equation};
  if (fit.law != text.name) return {std::shared_ptr<const Law>(), &find_law(fit.law)};  // registered: owned by nobody
  LawText described = text;
  const Expression expression(fit.equation);
  for (const std::string& name : expression.names()) {
    const bool parameter = std::any_of(fit.parameters.begin(), fit.parameters.end(),
                                       [&](const FittedParameter& p) { return p.name == name; });
    if (!parameter) described.inputs.push_back(name);
  }
  for (const FittedParameter& parameter : fit.parameters) {
    // What has no logarithm was not fitted as one. For all others the delta method does not depend on the coordinate.
    if (parameter.estimate <= 0) described.parameters[parameter.name].transform = Transform::Identity;
  }
  return text_law(described);
}

Residual residual_of_fit(const FitRecord& fit) {
  return fit.objective.find("on log loss") != std::string::npos ? Residual::Log : Residual::Plain;
}

std::vector<double> inputs_at(const Law& law, const std::string& at) {
  std::vector<double> inputs(law.inputs().size(), kNan);
  for (std::string_view rest = at; !rest.empty();) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const auto [name, text] = key_and_value("--at", std::string(item));
    const auto found = std::find(law.inputs().begin(), law.inputs().end(), name);
    const auto k = static_cast<std::size_t>(found - law.inputs().begin());
    double value = 0;
    if (found == law.inputs().end() || !parses_as_number(text, value) || !(value >= least_value(name))) {
      throw InputError(fmt::format("--at {}: {} is no input of law '{}' with a number that it can have; it takes {}",
                                   at, item, law.name(), fmt::join(law.inputs(), ", ")));
    }
    if (!std::isnan(inputs[k])) refuse_given_twice("--at " + at, name);
    inputs[k] = value;
  }
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!std::isnan(inputs[k])) continue;
    throw InputError(fmt::format("--at {}: lacks {}, so law '{}' has no value; it takes {}", at, law.inputs()[k],
                                 law.name(), fmt::join(law.inputs(), ", ")));
  }
  return inputs;
}

}  // namespace bitlaw
