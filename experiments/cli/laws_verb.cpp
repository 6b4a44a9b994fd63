#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "experiments/cli/verbs.h"
#include "experiments/fits/fit_curves.h"
#include "fitting/laws/law.h"

namespace bitlaw {
namespace {

struct LawsArguments {
  std::vector<std::string> names;
  bool json = false;
};

/// The laws of these names; without any, each that a fit takes, multi_power last.
std::vector<const Law*> laws_of(const std::vector<std::string>& names) {
  std::vector<const Law*> laws;
  for (const std::string& name : names) laws.push_back(&law_called(name));
  if (!names.empty()) return laws;
  for (const std::string_view name : law_names()) laws.push_back(&law_called(std::string(name)));
  laws.push_back(&law_called("multi_power"));
  return laws;
}

nlohmann::json law_json(const Law& law) {
  nlohmann::json parameters = nlohmann::json::array(), published = nlohmann::json::array();
  for (const LawParameter& p : law.parameters()) {
    parameters.push_back({{"name", p.name},
                          {"units", p.units},
                          {"transform", p.transform == Transform::Log ? "log" : "identity"},
                          {"lower", p.lower},
                          {"upper", p.upper}});
  }
  for (const PublishedFit& fit : law.published()) {
    nlohmann::json values = nlohmann::json::object();
    for (std::size_t j = 0; j < fit.values.size(); ++j) values[std::string(law.parameters()[j].name)] = fit.values[j];
    published.push_back({{"name", fit.name}, {"citation", fit.citation}, {"values", values}});
  }
  return {{"name", law.name()},     {"equation", law.equation()}, {"source", law.source()},
          {"inputs", law.inputs()}, {"parameters", parameters},   {"published", published}};
}

std::string law_text(const Law& law) {
  std::string text = fmt::format("{}: {}\n  source      {}\n  inputs      {}\n", law.name(), law.equation(),
                                 law.source(), fmt::join(law.inputs(), ", "));
  std::vector<std::string> words;
  for (const LawParameter& p : law.parameters()) words.push_back(fmt::format("{} [{}]", p.name, p.units));
  text += fmt::format("  parameters  {}\n", fmt::join(words, ", "));
  for (const PublishedFit& fit : law.published()) {
    words.clear();
    for (std::size_t j = 0; j < fit.values.size(); ++j) {
      words.push_back(fmt::format("{}={}", law.parameters()[j].name, fit.values[j]));
    }
    text += fmt::format("  published   {}: {} ({})\n", fit.name, fmt::join(words, ","), fit.citation);
  }
  return text;
}

}  // namespace

void add_laws_verb(CLI::App& app, Invocation&) {
  CLI::App* verb = app.add_subcommand("laws", "Show the laws: equation, source, parameters, published coefficients");
  const auto arguments = std::make_shared<LawsArguments>();
  verb->add_option("name", arguments->names, "Laws to show (default: all)");
  verb->add_flag("--json", arguments->json, "Print one JSON document");
  verb->footer(
      "JSON: laws, a list of {name, equation, source, inputs, parameters, published}, where parameters have name, "
      "units,\n"
      "transform (log or identity: as what they are fitted), lower and upper, and published sets name, citation, "
      "values.\n\n"
      "Examples:\n"
      "  bitlaw laws\n"
      "  bitlaw laws chinchilla fp_quantization\n"
      "  bitlaw laws qat --json");
  verb->callback([arguments] {
    nlohmann::json documents = nlohmann::json::array();
    std::string text;
    for (const Law* law : laws_of(arguments->names)) {
      if (arguments->json) documents.push_back(law_json(*law));
      if (!arguments->json) text += (text.empty() ? "" : "\n") + law_text(*law);
    }
    fmt::print("{}", arguments->json ? nlohmann::json({{"laws", documents}}).dump() + "\n" : text);
  });
}

}  // namespace bitlaw
