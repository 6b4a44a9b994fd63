#include "core/record/fit_json.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace bitlaw {

namespace {

using Json = nlohmann::json;

/// An end of an interval: JSON has no infinity.
Json end_of(double value) { return std::isinf(value) ? Json("open") : Json(value); }

/// "ci95" for intervals of level 0.95.
std::string interval_key(const FitRecord& fit) { return fmt::format("ci{:.4g}", 100 * fit.level); }

Json derived_of(const FitRecord& fit) {
  const std::string interval = interval_key(fit);
  Json derived = Json::object();
  for (const DerivedQuantity& q : fit.derived) {
    derived[q.name] = {{"estimate", q.estimate},
                       {"se", q.standard_error},
                       {interval, {q.ci_low, q.ci_high}},
                       {interval + "_bootstrap", {q.boot_low, q.boot_high}},
                       {"units", q.units}};
  }
  return derived;
}

Json by_parameter(const FitRecord& fit, const std::vector<double>& values, std::size_t row) {
  Json named = Json::object();
  for (std::size_t j = 0; j < fit.parameters.size(); ++j) {
    named[fit.parameters[j].name] = values[row * fit.parameters.size() + j];
  }
  return named;
}

Json diagnosis_of(const FitRecord& fit) {
  const FitDiagnosis& diagnosis = fit.diagnosis;
  Json directions = Json::array(), tests = Json::array(), shifts = Json::object();
  for (std::size_t k = 0; k < diagnosis.singular_values.size(); ++k) {
    directions.push_back(
        {{"singular_value", diagnosis.singular_values[k]}, {"direction", by_parameter(fit, diagnosis.directions, k)}});
  }
  for (const ResidualTest& test : diagnosis.residual_tests) {
    tests.push_back({{"against", test.against},
                     {"pattern", test.pattern},
                     {"statistic", test.statistic},
                     {"probability", test.probability}});
  }
  for (std::size_t g = 0; g < diagnosis.left_out.size(); ++g) {
    shifts[diagnosis.left_out[g]] = by_parameter(fit, diagnosis.shifts, g);
  }
  return {{"directions", directions}, {"runs", fit.run_ids},     {"leverage", diagnosis.leverage},
          {"cook", diagnosis.cook},   {"residual_tests", tests}, {"shifts_without_run", shifts}};
}

Json parameters_of(const FitRecord& fit) {
  const std::string interval = interval_key(fit);
  Json parameters = Json::object();
  for (const FittedParameter& p : fit.parameters) {
    parameters[p.name] = {{"estimate", p.estimate},
                          {"se", p.standard_error},
                          {interval, {p.ci_low, p.ci_high}},
                          {interval + "_bootstrap", {p.boot_low, p.boot_high}},
                          {interval + "_profile", {end_of(p.profile_low), end_of(p.profile_high)}},
                          {"se_jackknife", p.jackknife_error},
                          {"units", p.units},
                          {"at_bound", p.at_bound},
                          {"fixed", p.fixed},
                          {"intervals_disagree", p.intervals_disagree}};
  }
  return parameters;
}

Json metrics_of(const FitRecord& fit) {
  Json metrics = Json::object();
  for (const FitMetrics& m : fit.metrics) {
    metrics[m.name] = {{"n", m.count},
                       {"r2", m.r2},
                       {"mae", m.mae},
                       {"rmse", m.rmse},
                       {"relative_mean", m.relative_mean},
                       {"relative_worst", m.relative_worst},
                       {"log_rmse", m.log_rmse}};
  }
  return metrics;
}

/// [p][p] in the order of `parameter_names`.
Json covariance_of(const FitRecord& fit) {
  Json rows = Json::array();
  const std::size_t p = fit.parameters.size();
  for (std::size_t i = 0; i < p && fit.covariance.size() == p * p; ++i) {
    rows.push_back(std::vector<double>(fit.covariance.begin() + static_cast<std::ptrdiff_t>(i * p),
                                       fit.covariance.begin() + static_cast<std::ptrdiff_t>((i + 1) * p)));
  }
  return rows;
}

}  // namespace

FitRecord fit_from_json(const std::string& text, const std::string& place) {
  const auto number = [](const Json& value) {
    return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
  };
  try {
    const Json document = Json::parse(text);
    FitRecord fit;
    fit.name = document.at("name");
    fit.law = document.at("law");
    fit.equation = document.at("equation");
    fit.objective = document.at("objective_function");
    fit.level = document.at("level");
    fit.noise = number(document.at("noise"));
    fit.degrees_of_freedom = number(document.at("degrees_of_freedom"));
    const std::string interval = interval_key(fit);
    for (const Json& name : document.at("parameter_names")) {
      const Json& parameter = document.at("parameters").at(name.get<std::string>());
      fit.parameters.push_back(
          {.name = name, .units = parameter.at("units"), .estimate = number(parameter.at("estimate"))});
      FittedParameter& read = fit.parameters.back();
      read.standard_error = number(parameter.at("se"));
      read.ci_low = number(parameter.at(interval).at(0));
      read.ci_high = number(parameter.at(interval).at(1));
    }
    for (const Json& row : document.at("covariance")) {
      for (const Json& value : row) fit.covariance.push_back(number(value));
    }
    if (document.contains("variance_form")) {  // not in the first files
      const Json& form = document.at("variance_form");
      for (const Json& value : form.at("axes")) fit.variance_form.axes.push_back(number(value));
      for (const Json& value : form.at("mean")) fit.variance_form.mean.push_back(number(value));
      for (const Json& value : form.at("spread")) fit.variance_form.spread.push_back(number(value));
      if (!fit.variance_form.fits(fit.parameters.size())) {
        throw InputError(fmt::format(
            "{}: has a variance_form whose lists do not belong together, so it is corrupt; restore it or fit again",
            place));
      }
    }
    return fit;
  } catch (const Json::exception& error) {
    throw InputError(
        fmt::format("{}: is not a fit as bitlaw fit --json writes it ({}), so it has no law; give the file of one fit",
                    place, error.what()));
  }
}

std::string fit_to_json(const FitRecord& fit) {
  Json at_bound = Json::array(), names = Json::array();
  for (const FittedParameter& p : fit.parameters) {
    names.push_back(p.name);
    if (p.at_bound) at_bound.push_back(p.name);
  }
  return Json({{"name", fit.name},
               {"law", fit.law},
               {"equation", fit.equation},
               {"source", fit.source},
               {"objective", fit.cost},
               {"objective_function", fit.objective},
               {"level", fit.level},
               {"parameters", parameters_of(fit)},
               {"parameter_names", names},
               {"covariance", covariance_of(fit)},
               {"variance_form",
                {{"axes", fit.variance_form.axes},
                 {"mean", fit.variance_form.mean},
                 {"spread", fit.variance_form.spread}}},
               {"degrees_of_freedom", fit.degrees_of_freedom},
               {"noise", fit.noise},
               {"at_bound", at_bound},
               {"status", fit.converged ? "converged" : (fit.refused() ? "refused" : "not converged")},
               {"solver", fit.status},
               {"scale", fit.scale},
               {"derived", derived_of(fit)},
               {"metrics", metrics_of(fit)},
               {"gradient_norm", fit.gradient_norm},
               {"condition_number", fit.condition_number},
               {"starts", fit.starts},
               {"starts_agreeing", fit.starts_agreeing},
               {"warnings", fit.warnings},
               {"diagnosis", diagnosis_of(fit)},
               {"n", fit.observed.size()}})
      .dump();
}

}  // namespace bitlaw
