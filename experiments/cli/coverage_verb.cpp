#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/base/closest.h"
#include "core/base/cores.h"
#include "core/base/error.h"
#include "experiments/cli/element_progress.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/verbs.h"
#include "experiments/fits/given_law.h"
#include "experiments/fits/trace_accuracy.h"
#include "experiments/report/numbers.h"
#include "experiments/report/table.h"
#include "fitting/uncertainty/interval_coverage.h"

namespace bitlaw {
namespace {

constexpr const char* kAnswers = "accuracy";  ///< a law of scored answers, not of losses

struct CoverageRequest {
  std::vector<std::string> laws;
  int sets = 1000;
  FitOptions fit{.bootstrap = 200, .level = 0.9};
  double noise = 0;             ///< factor on the design's; 0: as it is
  int runs = 0;                 ///< of the design's; 0: all
  std::vector<std::string> at;  ///< "N=1e12,D=2e13": where predictions are scored, too
  bool weighted = false, least_squares = false, json = false;
};

std::string percent(double share) {
  return std::isnan(share) ? format_value(share, 1) : fmt::format("{:.1f}", 100 * share);
}

std::string width_text(double width) { return std::isinf(width) ? "open" : format_value(width, 3); }

std::vector<std::pair<std::string_view, double>> named_inputs(const CoverageReport& report,
                                                              const PredictionCoverage& prediction) {
  std::vector<std::pair<std::string_view, double>> named;
  for (std::size_t k = 0; k < prediction.inputs.size(); ++k) {
    named.emplace_back(find_law(report.law).inputs()[k], prediction.inputs[k]);
  }
  return named;
}

Table coverage_table(const CoverageReport& report) {
  Table table{
      .title = fmt::format("{}: how often intervals of {:.4g} % hold the truth, in %", report.law, 100 * report.level),
      .header = {"parameter", "truth", "covariance", "profile", "bootstrap", "width of them", "bias", "spread"},
      .rows = {},
      .notes = {}};
  for (const ParameterCoverage& p : report.parameters) {
    table.rows.push_back({p.name, format_value(p.truth), percent(p.covariance.covered), percent(p.profile.covered),
                          percent(p.bootstrap.covered),
                          fmt::format("{} / {} / {}", width_text(p.covariance.width), width_text(p.profile.width),
                                      width_text(p.bootstrap.width)),
                          format_value(p.bias, 2), format_value(p.spread, 3)});
  }
  for (const PredictionCoverage& p : report.predictions) {
    std::vector<std::string> inputs;
    for (const auto& [name, value] : named_inputs(report, p)) inputs.push_back(fmt::format("{}={:.4g}", name, value));
    table.rows.push_back({fmt::format("at {}", fmt::join(inputs, ",")), format_value(p.truth),
                          percent(p.covariance.covered), "–", percent(p.bootstrap.covered),
                          fmt::format("{} / – / {}", width_text(p.covariance.width), width_text(p.bootstrap.width)),
                          format_value(p.bias, 2), format_value(p.spread, 3)});
  }
  const bool by_law = report.run_noise > 0 || report.row_noise > 0;  // else the design draws its own
  const std::string noise =
      by_law ? fmt::format("noise of log loss {} by run and {} by row", report.run_noise, report.row_noise)
             : std::string("with the noise of its draws");
  table.notes.push_back(fmt::format("{} sets of {}; {}; {}; {} bootstrap refits.", report.sets, report.description,
                                    noise, report.objective, report.bootstrap));
  if (report.sets == 0) return table;
  table.notes.push_back(fmt::format(
      "By chance a figure errs by {:.1f} (one standard deviation). Widths, bias and spread (the estimates' standard "
      "deviation) are in the fitted coordinate, of the law's value in its logarithm.",
      100 * std::sqrt(report.level * (1 - report.level) / report.sets)));
  return table;
}

/// JSON has no infinity.
nlohmann::json number(double value) { return std::isinf(value) ? nlohmann::json("open") : nlohmann::json(value); }

nlohmann::json score_json(const IntervalScore& score) {
  return {{"covered", score.covered}, {"below", score.below}, {"above", score.above}, {"width", number(score.width)}};
}

nlohmann::json coverage_json(const CoverageReport& report) {
  nlohmann::json parameters = nlohmann::json::object();
  for (const ParameterCoverage& p : report.parameters) {
    parameters[p.name] = {{"truth", p.truth},
                          {"bias", p.bias},
                          {"spread", p.spread},
                          {"covariance", score_json(p.covariance)},
                          {"profile", score_json(p.profile)},
                          {"bootstrap", score_json(p.bootstrap)}};
  }
  nlohmann::json predictions = nlohmann::json::array();
  for (const PredictionCoverage& p : report.predictions) {
    nlohmann::json inputs = nlohmann::json::object();
    for (const auto& [name, value] : named_inputs(report, p)) inputs[std::string(name)] = value;
    predictions.push_back({{"inputs", inputs},
                           {"truth", p.truth},
                           {"bias", p.bias},
                           {"spread", p.spread},
                           {"covariance", score_json(p.covariance)},
                           {"bootstrap", score_json(p.bootstrap)}});
  }
  return {{"law", report.law},
          {"design", report.description},
          {"run_noise", report.run_noise},
          {"row_noise", report.row_noise},
          {"objective", report.objective},
          {"level", report.level},
          {"sets", report.sets},
          {"bootstrap", report.bootstrap},
          {"parameters", parameters},
          {"predictions", predictions}};
}

std::vector<std::string_view> designs() {
  std::vector<std::string_view> names = synthetic_designs();
  names.push_back(kAnswers);
  return names;
}

/// A law's design without what the request asks of it.
SyntheticDesign whole_design_of(const std::string& law) {
  if (law == kAnswers) return accuracy_design();
  const std::vector<std::string_view> known = designs();
  if (std::find(known.begin(), known.end(), law) != known.end()) return synthetic_design(law);
  throw InputError(fmt::format("law '{}' has no synthetic runs, so there is nothing to measure; {}", law,
                               remedy(law, std::span<const std::string_view>(known))));
}

SyntheticDesign design_of(const std::string& law, const CoverageRequest& request) {
  SyntheticDesign design = whole_design_of(law);
  if (design.draw && (request.runs > 0 || request.noise > 0 || request.weighted)) {
    throw InputError(fmt::format(
        "law '{}': its runs draw answers, which have their own noise, so --runs, --noise and --weighted would "
        "be ignored; leave them out",
        law));
  }
  if (request.runs > 0) {
    const auto runs = static_cast<std::size_t>(request.runs);
    const std::size_t least = design.law->parameters().size() + 1, most = run_count(design);
    if (runs < least || runs > most) {
      throw InputError(fmt::format(
          "--runs {}: law '{}' has {} parameters, so intervals need {} runs, and its design has {}; give a number from "
          "{} to {}",
          runs, law, least - 1, least, most, least, most));
    }
    design = with_runs(std::move(design), runs);
  }
  if (request.weighted) design = with_unequal_noise(std::move(design));
  if (request.noise > 0) {
    design.run_noise *= request.noise;
    design.row_noise *= request.noise;
  }
  return design;
}

void measure(const CoverageRequest& request, Invocation& invocation) {
  FitOptions options = request.fit;
  options.threads = all_cores();
  if (request.least_squares) options.objective.loss = Loss::LeastSquares;
  struct Asked {
    SyntheticDesign design;
    std::vector<std::vector<double>> places;
  };
  std::vector<Asked> all;
  std::set<std::string> names;
  for (const std::string& law : request.laws) {
    if (!names.insert(law).second) {
      refuse_given_twice(fmt::format("bitlaw coverage {}", fmt::join(request.laws, " ")), law);
    }
    Asked& asked = all.emplace_back(Asked{design_of(law, request), {}});
    for (const std::string& at : request.at) asked.places.push_back(inputs_at(*asked.design.law, at));
  }
  nlohmann::json reports = nlohmann::json::array();
  for (const Asked& asked : all) {
    bool stopped = false;
    const CoverageReport report = with_element_progress(
        [&](const ElementsDone& progress) {
          FitOptions own = options;
          if (asked.design.draw) own.objective = asked.design.objective;
          const auto done = [&](int sets) {
            stopped = !progress(sets, request.sets);
            return !stopped;
          };
          return measure_coverage(asked.design, own, request.sets, done, asked.places);
        },
        item_progress_line);
    reports.push_back(coverage_json(report));
    if (!request.json) fmt::print("{}\n", text_of(coverage_table(report)));
    if (!stopped) continue;
    invocation.exit_code = kStopped;  // what was measured so far is shown, and says of how many sets
    break;
  }
  if (request.json) fmt::print("{}\n", nlohmann::json({{"coverage", reports}}).dump());
}

}  // namespace

void add_coverage_verb(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("coverage", "Measure how often the intervals of a fit hold the truth, on made-up losses");
  const auto request = std::make_shared<CoverageRequest>();
  verb->add_option("laws", request->laws, fmt::format("Among: {}", fmt::join(designs(), ", ")))->required();
  verb->add_option("--sets", request->sets, "Synthetic sets for each law (default: 1000)")
      ->check(number_between(1, 1'000'000));
  verb->add_option("--level", request->fit.level, "Of the intervals (default: 0.9)")
      ->check(number_between(0.01, 0.9999));
  verb->add_option("--bootstrap", request->fit.bootstrap, "Refits for each set (default: 200)")
      ->check(number_between(0, 100'000));
  verb->add_option("--noise", request->noise, "Factor on the noise of the design (default: 1)")
      ->check(positive_number());
  verb->add_option("--runs", request->runs, "Only so many of the design's runs (default: all)")
      ->check(number_between(1, 1'000'000));
  verb->add_flag("--weighted", request->weighted,
                 "Noise of half, once and twice the size by run, with weights 1/variance");
  verb->add_option("--at", request->at, "N=1e12,D=2e13: the law's value there, too; may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--huber-delta", request->fit.objective.delta, "Threshold on residuals (default: 0.001)")
      ->check(positive_number());
  verb->add_flag("--least-squares", request->least_squares, "Least squares instead of Huber's loss");
  verb->add_option("--starts", request->fit.starts, "Points that are minimized from (default: 24)")
      ->check(number_between(1, 100'000));
  verb->add_option("--seed", request->fit.seed, "Of the noise (default: 0)");
  verb->add_flag("--json", request->json, "Print one JSON document");
  verb->footer(
      "Runs at known parameters, with noise between seeds as published, are fitted again and again. Ctrl-C shows what\n"
      "was measured so far.\n\n"
      "Examples:\n"
      "  bitlaw coverage chinchilla qat fp_quantization annealing > coverage.txt\n"
      "  bitlaw coverage qat --sets 200 --level 0.95 --noise 3 --json\n"
      "  bitlaw coverage chinchilla --runs 12 --weighted --at N=1.5e11,D=3e12");
  verb->callback([request, &invocation] { measure(*request, invocation); });
}

}  // namespace bitlaw
