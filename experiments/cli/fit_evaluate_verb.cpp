#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/record/fit_json.h"
#include "experiments/cli/fit_flags.h"
#include "experiments/cli/fit_output.h"
#include "experiments/cli/fit_tables.h"
#include "experiments/cli/given_flags.h"
#include "experiments/cli/verbs.h"
#include "experiments/fits/fit_solve.h"
#include "experiments/fits/given_law.h"
#include "experiments/report/numbers.h"
#include "fitting/fit/multi_start.h"

namespace bitlaw {
namespace {

struct EvaluateRequest {
  GivenCoefficients given;
  FitOutput output;
};

/// Coefficients that were given, not fitted, scored on a group's rows.
FitRecord scored(const FitProblem& problem, const FitData& data, const std::vector<double>& natural) {
  const Law& law = law_of(problem.spec);
  Objective objective(law, data.observations, fit_options(problem.spec, 1).objective);
  const std::vector<double> fitted = law.to_fitted(natural);
  FitRecord record;
  if (has_scale(objective.spec().loss)) {  // which no paper's coefficients say: the best one for them
    record.scale = minimize_with_scale(objective, fitted, std::vector<bool>(fitted.size(), true)).scale;
    objective = objective.with_scale(record.scale);
  }
  record.name = data.name;
  record.law = law.name();
  record.equation = law.equation();
  record.source = law.source();
  record.objective = describe(objective.spec());
  record.cost = objective.cost(fitted);
  record.metrics =
      metrics_of_split("data", problem, data.observations, predictions_of(law, natural, data.observations));
  if (!data.held_out.loss.empty()) {
    for (FitMetrics& metrics :
         metrics_of_split("test", problem, data.held_out, predictions_of(law, natural, data.held_out))) {
      record.metrics.push_back(std::move(metrics));
    }
  }
  return record;
}

nlohmann::json json_of(const FitRecord& record, const Law& law, const std::vector<double>& natural) {
  const nlohmann::json whole = nlohmann::json::parse(fit_to_json(record));
  nlohmann::json parameters = nlohmann::json::object();
  for (std::size_t j = 0; j < natural.size(); ++j) parameters[std::string(law.parameters()[j].name)] = natural[j];
  return {{"name", record.name},           {"law", record.law},
          {"objective", record.cost},      {"objective_function", record.objective},
          {"parameters", parameters},      {"scale", whole.at("scale")},
          {"metrics", whole.at("metrics")}};
}

void evaluate(const FitRequest& request, const EvaluateRequest& asked) {
  check_output(asked.output, words_read(request, {asked.given.params}));
  const FitProblem problem = fit_problem(request, 1);
  const Law& law = law_of(problem.spec);
  const std::vector<double> natural = coefficients_of(law, asked.given);
  nlohmann::json documents = nlohmann::json::array();
  for (const FitData& data : problem.data) {
    const FitRecord record = scored(problem, data, natural);
    documents.push_back(json_of(record, law, natural));
    if (asked.output.prints_json()) continue;
    fmt::print("{}: {}\n{}: {:.11g}\n\n{}\n", record.name, record.equation, record.objective, record.cost,
               text_of(metrics_table(record)));
  }
  write_json(asked.output,
             request.per.empty() ? documents[0].dump() : nlohmann::json({{"evaluations", documents}}).dump());
}

}  // namespace

void add_evaluate_verb(CLI::App& app, Invocation&) {
  CLI::App* verb = app.add_subcommand("evaluate", "Score given coefficients of a law: objective and errors");
  const auto request = std::make_shared<FitRequest>();
  const auto asked = std::make_shared<EvaluateRequest>();
  add_data_flags(*verb, request, "LAW DATA...: as for bitlaw fit");
  verb->add_option("--params", asked->given.params,
                   "name=value,...: every coefficient; or a .json, of a fit or {\"A\": 406.4, ...}");
  add_published_flag(*verb, asked->given);
  add_json_flag(*verb, asked->output);
  verb->footer(
      "Examples:\n"
      "  bitlaw evaluate chinchilla runs.csv --map N=params,D=tokens --published hoffmann\n"
      "  bitlaw evaluate chinchilla runs.csv --params A=406.4,alpha=0.3392,B=410.7,beta=0.2849,E=1.6934 --json\n"
      "  bitlaw evaluate chinchilla later.csv --params fit.json");
  verb->callback([request, asked] { evaluate(*request, *asked); });
}

}  // namespace bitlaw
