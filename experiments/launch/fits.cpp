#include "experiments/launch/fits.h"

#include <nlohmann/json.hpp>

#include "fitting/fit/fit.h"

namespace bitlaw {

std::vector<FitRecord> fit_runs(const FitSpec& spec, std::span<const RunRecord> runs, int threads) {
  const Law& law = find_law(spec.law);
  const FitOptions options{
      .huber_delta = spec.huber_delta, .bootstrap = spec.bootstrap, .fixed = spec.fixed, .threads = threads};
  std::vector<FitRecord> fits;
  for (const FitGroup& group : fit_groups(spec, runs)) {
    std::vector<RunRecord> members;
    for (const std::size_t i : group.runs) members.push_back(runs[i]);
    try {
      fits.push_back(fit_law(law, observations_from_runs(law, members), options, group.name));
    } catch (const InputError& error) {
      throw InputError(spec.place, error.what());
    }
  }
  return fits;
}

std::string fit_to_json(const FitRecord& fit) {
  using nlohmann::json;
  json parameters = json::object();
  for (const FittedParameter& p : fit.parameters) {
    parameters[p.name] = {{"estimate", p.estimate},
                          {"standard_error", p.standard_error},
                          {"interval_95", {p.ci_low, p.ci_high}},
                          {"bootstrap_interval_95", {p.boot_low, p.boot_high}},
                          {"units", p.units},
                          {"at_bound", p.at_bound},
                          {"fixed", p.fixed}};
  }
  json observations = json::array();
  for (std::size_t i = 0; i < fit.run_ids.size(); ++i) {
    observations.push_back({{"run", fit.run_ids[i]}, {"observed", fit.observed[i]}, {"predicted", fit.predicted[i]}});
  }
  return json({{"name", fit.name},
               {"law", fit.law},
               {"equation", fit.equation},
               {"source", fit.source},
               {"objective", fit.objective},
               {"parameters", parameters},
               {"converged", fit.converged},
               {"status", fit.status},
               {"cost", fit.cost},
               {"gradient_norm", fit.gradient_norm},
               {"condition_number", fit.condition_number},
               {"starts", fit.starts},
               {"starts_agreeing", fit.starts_agreeing},
               {"warnings", fit.warnings},
               {"observations", observations}})
      .dump();
}

}  // namespace bitlaw
