#include "core/record/fit_json.h"

#include <nlohmann/json.hpp>

namespace bitlaw {

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
                          {"fixed", p.fixed},
                          {"intervals_disagree", p.intervals_disagree}};
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
