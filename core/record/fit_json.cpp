#include "core/record/fit_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace bitlaw {

namespace {

using nlohmann::json;

/// An end of an interval: JSON has no infinity.
json end_of(double value) { return std::isinf(value) ? json("open") : json(value); }

json derived_of(const FitRecord& fit) {
  json derived = json::object();
  for (const DerivedQuantity& q : fit.derived) {
    derived[q.name] = {{"estimate", q.estimate},
                       {"standard_error", q.standard_error},
                       {"interval_95", {q.ci_low, q.ci_high}},
                       {"bootstrap_interval_95", {q.boot_low, q.boot_high}},
                       {"units", q.units}};
  }
  return derived;
}

}  // namespace

std::string fit_to_json(const FitRecord& fit) {
  json parameters = json::object();
  for (const FittedParameter& p : fit.parameters) {
    parameters[p.name] = {{"estimate", p.estimate},
                          {"standard_error", p.standard_error},
                          {"interval_95", {p.ci_low, p.ci_high}},
                          {"bootstrap_interval_95", {p.boot_low, p.boot_high}},
                          {"profile_interval_95", {end_of(p.profile_low), end_of(p.profile_high)}},
                          {"jackknife_error", p.jackknife_error},
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
               {"scale", fit.scale},
               {"derived", derived_of(fit)},
               {"gradient_norm", fit.gradient_norm},
               {"condition_number", fit.condition_number},
               {"starts", fit.starts},
               {"starts_agreeing", fit.starts_agreeing},
               {"warnings", fit.warnings},
               {"observations", observations}})
      .dump();
}

}  // namespace bitlaw
