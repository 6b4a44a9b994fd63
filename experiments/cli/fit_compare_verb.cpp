#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/base/cores.h"
#include "experiments/cli/fit_flags.h"
#include "experiments/cli/fit_output.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/verbs.h"
#include "experiments/fits/fit_curves.h"
#include "experiments/fits/fit_data.h"
#include "experiments/report/numbers.h"
#include "experiments/report/table.h"
#include "fitting/compare/compare.h"

namespace bitlaw {
namespace {

struct CompareRequest {
  std::vector<std::string> laws;
  int folds = 5;
  FitOutput output;
};

/// The request for one of the laws: of --map, what the law takes.
FitRequest request_for(const FitRequest& request, const std::string& name) {
  const Law& law = law_called(name);
  FitRequest own = request;
  own.words.insert(own.words.begin(), name);
  const bool curves = asks_for_curves(own);
  std::vector<std::string> items;
  for (const auto& [key, column] : items_of_map(request)) {
    const bool taken = std::find(law.inputs().begin(), law.inputs().end(), key) != law.inputs().end();
    if (taken || is_role(key) || (curves && (key == "step" || key == "lr"))) items.push_back(key + "=" + column);
  }
  own.columns = std::move(items);  // none: a sweep file's runs have their N, D and formats without
  std::erase_if(own.fixed, [&](const std::string& fixed) {
    const std::string parameter = fixed.substr(0, fixed.find('='));
    return std::none_of(law.parameters().begin(), law.parameters().end(),
                        [&](const LawParameter& p) { return p.name == parameter; });
  });
  return own;
}

Table score_table(const std::string& group, const std::vector<LawScore>& scores) {
  Table table{
      .title = fmt::format("{}: laws compared", group),
      .header = {"law", "parameters", "objective", "AICc", "weight", "BIC", "k-fold error", "rollout error",
                 "rollout bias", "stacking", "flags"},
      .rows = {},
      .notes = {"AICc and BIC count the scale of the residuals as a parameter. Errors are of log loss on runs "
                "left out: in folds, and beyond cutoffs in N D, up to 20 of those that keep half the runs or more."}};
  for (const LawScore& s : scores) {
    table.rows.push_back({s.law, fmt::format("{}", s.parameters), format_value(s.cost), fmt::format("{:.2f}", s.aicc),
                          fmt::format("{:.3f}", s.weight), fmt::format("{:.2f}", s.bic), format_value(s.folds_error, 3),
                          format_value(s.rollout_error, 3), format_value(s.rollout_bias, 2),
                          fmt::format("{:.2f}", s.stacking), s.converged ? "" : "NOT converged"});
  }
  return table;
}

nlohmann::json score_json(const LawScore& s) {
  return {{"law", s.law},
          {"parameters", s.parameters},
          {"converged", s.converged},
          {"objective", s.cost},
          {"log_likelihood", s.log_likelihood},
          {"aicc", s.aicc},
          {"bic", s.bic},
          {"weight", s.weight},
          {"folds_error", s.folds_error},
          {"rollout_error", s.rollout_error},
          {"rollout_bias", s.rollout_bias},
          {"stacking", s.stacking}};
}

void compare(const FitRequest& request, const CompareRequest& asked) {
  check_output(asked.output, words_read(request));
  const int threads = all_cores();
  CompareOptions options;
  options.folds = asked.folds;
  if (!request.formula.empty()) {
    throw InputError(fmt::format(
        "--formula {}: laws are compared by name, so it would be left out; name them in --laws", request.formula));
  }
  std::vector<const Law*> laws;
  std::vector<FitProblem> problems;  // [law]
  std::set<std::string> names;
  for (const std::string& name : asked.laws) {
    if (!names.insert(name).second) refuse_given_twice(fmt::format("--laws {}", fmt::join(asked.laws, ",")), name);
  }
  for (const std::string& name : asked.laws) {
    const FitRequest own = request_for(request, name);
    FitProblem problem = fit_problem(own, threads);
    FitOptions fit = fit_options(problem.spec, threads);
    if (!laws.empty()) fit.fixed.insert(options.fit.fixed.begin(), options.fit.fixed.end());
    options.fit = fit;
    laws.push_back(&law_of(problem.spec));
    problems.push_back(std::move(problem));
  }
  nlohmann::json groups = nlohmann::json::array();
  for (std::size_t group = 0; group < problems.front().data.size(); ++group) {
    std::vector<Observations> observations;
    for (const FitProblem& of_law : problems) observations.push_back(of_law.data[group].observations);
    const std::vector<LawScore> scores = compare_laws(laws, observations, options);
    // A group is called by its first law's fit: "chinchilla_mxfp4".
    if (!asked.output.prints_json())
      fmt::print("{}\n", text_of(score_table(problems.front().data[group].name, scores)));
    nlohmann::json rows = nlohmann::json::array();
    for (const LawScore& score : scores) rows.push_back(score_json(score));
    groups.push_back({{"name", problems.front().data[group].name}, {"laws", rows}});
  }
  write_json(asked.output, nlohmann::json({{"comparisons", groups}}).dump());
}

}  // namespace

void add_compare_verb(CLI::App& app, Invocation&) {
  CLI::App* verb =
      app.add_subcommand("compare", "Compare laws on the same runs: criteria, left-out runs, extrapolation");
  const auto request = std::make_shared<FitRequest>();
  const auto asked = std::make_shared<CompareRequest>();
  add_data_flags(*verb, request, "DATA...: tables or sweep files, see bitlaw fit --help; their rows are joined");
  add_fit_flags(*verb, request);
  verb->add_option("--laws", asked->laws, "Their names, with commas between")->required()->delimiter(',');
  verb->add_option("--folds", asked->folds, "Parts of the cross-validation (default: 5)")
      ->check(number_between(2, 1000));
  add_json_flag(*verb, asked->output);
  verb->footer(
      "Example:\n"
      "  bitlaw compare runs.csv --laws chinchilla,chinchilla_tied,kaplan_nd --map N=params,D=tokens");
  verb->callback([request, asked] { compare(*request, *asked); });
}

}  // namespace bitlaw
