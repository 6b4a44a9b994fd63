#include "fitting/fit/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

#include "core/base/check.h"
#include "core/base/closest.h"
#include "core/base/error.h"
#include "fitting/fit/multi_start.h"
#include "fitting/fit/objective.h"
#include "fitting/uncertainty/bootstrap.h"
#include "fitting/uncertainty/covariance.h"
#include "fitting/uncertainty/identifiability.h"

namespace bitlaw {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kLevel = 0.95;
constexpr double kAtBound = 1e-6;    // distance to a bound, fitted coordinates
constexpr double kDisagreement = 2;  // ratio of interval widths

void check_options(const FitOptions& options) {
  if (!(options.huber_delta > 0)) {
    throw InputError(fmt::format("huber_delta: {} is not positive, so the objective is empty; the usual value is 0.001",
                                 options.huber_delta));
  }
  if (options.bootstrap < 0 || options.starts < 1 || options.threads < 1) {
    throw InputError(
        fmt::format("bootstrap {}, starts {}, threads {}: each counts something, so bootstrap must be at "
                    "least 0 and the others at least 1; correct the one that is not",
                    options.bootstrap, options.starts, options.threads));
  }
}

void check_observations(const Law& law, const Observations& observations) {
  const std::size_t n = observations.loss.size();
  BITLAW_CHECK(observations.ids.size() == n && observations.inputs.size() == n && observations.cluster.size() == n,
               "{} losses, {} ids, {} rows of inputs, {} clusters", n, observations.ids.size(),
               observations.inputs.size(), observations.cluster.size());
  for (std::size_t i = 0; i < observations.loss.size(); ++i) {
    if (!(observations.loss[i] > 0) || !std::isfinite(observations.loss[i])) {
      throw InputError(
          fmt::format("observation {}: loss {} is not a positive number, so it has no logarithm; leave the "
                      "row out",
                      observations.ids[i], observations.loss[i]));
    }
    for (std::size_t k = 0; k < law.inputs().size(); ++k) {
      const double value = observations.inputs[i][k];
      const double least = least_value(law.inputs()[k]);
      if (!std::isfinite(value) || value < least) {
        throw InputError(fmt::format("observation {}: {} = {} is below {}, so law '{}' has no value; correct the row",
                                     observations.ids[i], law.inputs()[k], value, least, law.name()));
      }
    }
  }
}

struct Held {
  std::vector<bool> fixed;     ///< [p]
  std::vector<double> fitted;  ///< [p] the value where fixed
};

Held held_parameters(const Law& law, const FitOptions& options) {
  Held held{std::vector<bool>(law.parameters().size()), std::vector<double>(law.parameters().size())};
  std::vector<std::string_view> names;
  for (const LawParameter& parameter : law.parameters()) names.push_back(parameter.name);
  for (const auto& [name, value] : options.fixed) {
    const auto found = static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (found == names.size()) {
      throw InputError(fmt::format("fixed: law '{}' has no parameter '{}', so it cannot be held; {}", law.name(), name,
                                   remedy(name, names)));
    }
    const LawParameter& parameter = law.parameters()[found];
    if (!(value >= parameter.lower && value <= parameter.upper)) {
      throw InputError(
          fmt::format("fixed: {} = {} is outside [{}, {}], where law '{}' has no meaning; choose a value "
                      "inside",
                      name, value, parameter.lower, parameter.upper, law.name()));
    }
    held.fixed[found] = true;
    held.fitted[found] = to_fitted(parameter, value);
  }
  return held;
}

FitRecord described(const Law& law, const Observations& observations, const FitOptions& options, const Held& held,
                    std::string name) {
  FitRecord record;
  record.name = std::move(name);
  record.law = law.name();
  record.equation = law.equation();
  record.source = law.source();
  record.objective = fmt::format("sum of Huber(delta = {}) on log loss", options.huber_delta);
  record.run_ids = observations.ids;
  record.observed = observations.loss;
  record.predicted.assign(observations.loss.size(), kNan);
  record.cost = record.gradient_norm = record.condition_number = kNan;
  record.warnings = observations.notes;
  const std::size_t p = law.parameters().size();
  record.covariance.assign(p * p, kNan);
  for (std::size_t j = 0; j < p; ++j) {
    const LawParameter& parameter = law.parameters()[j];
    const double value = held.fixed[j] ? to_natural(parameter, held.fitted[j]) : kNan;
    record.parameters.push_back({.name = std::string(parameter.name),
                                 .units = std::string(parameter.units),
                                 .estimate = value,
                                 .standard_error = kNan,
                                 .ci_low = kNan,
                                 .ci_high = kNan,
                                 .boot_low = kNan,
                                 .boot_high = kNan,
                                 .fixed = held.fixed[j]});
  }
  return record;
}

void store_optimum(FitRecord& record, const Objective& objective, const MultiStart& starts,
                   const Observations& observations, const Held& held) {
  const Law& law = objective.law();
  const std::vector<double>& fitted = starts.best.fitted;
  const std::vector<double> natural = law.to_natural(fitted), gradient = objective.gradient(fitted);
  record.gradient_norm = 0;
  for (std::size_t j = 0; j < natural.size(); ++j) {
    const LawParameter& parameter = law.parameters()[j];
    FittedParameter& out = record.parameters[j];
    if (held.fixed[j]) continue;
    out.estimate = natural[j];
    out.at_bound = fitted[j] - to_fitted(parameter, parameter.lower) < kAtBound ||
                   to_fitted(parameter, parameter.upper) - fitted[j] < kAtBound;
    if (out.at_bound) {
      record.warnings.push_back(fmt::format(
          "{} ended at its bound {:.4g}: the data do not show its term, so it has no standard error and the other "
          "intervals hold it there; fix it or fit a simpler law",
          out.name, natural[j]));
    } else {
      record.gradient_norm = std::max(record.gradient_norm, std::abs(gradient[j]));
    }
  }
  for (std::size_t i = 0; i < observations.loss.size(); ++i) {
    record.predicted[i] = law.predict(natural, observations.inputs[i]);
  }
  record.converged = starts.best.converged;
  record.status =
      fmt::format("{}; {} points screened, {} minimized from", starts.best.status, starts.screened, starts.refined);
  record.cost = starts.best.cost;
  record.starts = starts.refined;
  record.starts_agreeing = starts.agreeing;
  if (!record.converged) {
    record.warnings.push_back(
        "the solver did not converge, so the estimates may still move; see the status and the other warnings");
  }
}

void store_covariance(FitRecord& record, const Objective& objective, const std::vector<double>& fitted,
                      const Observations& observations) {
  const Law& law = objective.law();
  const std::size_t p = fitted.size();
  std::vector<bool> free;
  for (const FittedParameter& parameter : record.parameters) free.push_back(!parameter.fixed && !parameter.at_bound);
  const Covariance covariance = robust_covariance(objective, fitted, free, observations.cluster);
  record.condition_number = covariance.condition_number;
  const auto more = curvature_warnings(law, covariance.condition_number, covariance.flattest);
  record.warnings.insert(record.warnings.end(), more.begin(), more.end());

  // Delta method: d natural / d fitted is the natural value itself for a logarithm, 1 otherwise.
  const auto scale = [&](std::size_t j) {
    return law.parameters()[j].transform == Transform::Log ? record.parameters[j].estimate : 1.0;
  };
  for (std::size_t j = 0; j < p; ++j) {
    for (std::size_t k = 0; k < p; ++k) {
      record.covariance[j * p + k] = covariance.matrix[j * p + k] * scale(j) * scale(k);
    }
  }
  const double t = covariance.degrees_of_freedom > 0
                       ? quantile(boost::math::students_t(covariance.degrees_of_freedom), (1 + kLevel) / 2)
                       : kNan;
  for (std::size_t j = 0; j < p; ++j) {
    if (!free[j]) continue;
    FittedParameter& out = record.parameters[j];
    const double deviation = std::sqrt(covariance.matrix[j * p + j]);
    out.standard_error = deviation * scale(j);
    out.ci_low = to_natural(law.parameters()[j], fitted[j] - t * deviation);
    out.ci_high = to_natural(law.parameters()[j], fitted[j] + t * deviation);
  }
}

void store_bootstrap(FitRecord& record, const Objective& objective, const std::vector<double>& fitted,
                     const Observations& observations, const FitOptions& options, const Held& held) {
  const Law& law = objective.law();
  const std::size_t p = fitted.size();
  record.draws = bootstrap_by_run(objective, fitted, held.fixed, observations.cluster, options.bootstrap, options.seed,
                                  options.threads);
  const std::size_t runs = count_distinct(observations.cluster);
  const auto unknowns = static_cast<std::size_t>(std::count(held.fixed.begin(), held.fixed.end(), false));
  if (options.bootstrap == 0 || runs <= unknowns) return;
  const double level = expanded_level(kLevel, runs, unknowns);
  for (std::size_t j = 0; j < p; ++j) {
    FittedParameter& out = record.parameters[j];
    if (out.fixed) continue;
    std::vector<double> values;
    for (std::size_t at = j; at < record.draws.size(); at += p) values.push_back(record.draws[at]);
    std::tie(out.boot_low, out.boot_high) = percentile_interval(std::move(values), level);

    const auto width = [&](double low, double high) {
      return to_fitted(law.parameters()[j], high) - to_fitted(law.parameters()[j], low);
    };
    const double ratio = width(out.boot_low, out.boot_high) / width(out.ci_low, out.ci_high);
    out.intervals_disagree = ratio > kDisagreement || ratio < 1 / kDisagreement;  // not for NaN
    if (out.intervals_disagree) {
      record.warnings.push_back(
          fmt::format("the 95 % intervals of {} disagree: the bootstrap's is {:.2g} times as wide as the covariance's; "
                      "trust the wider one and add runs",
                      out.name, ratio));
    }
  }
}

}  // namespace

FitRecord fit_law(const Law& law, const Observations& observations, const FitOptions& options, std::string name) {
  check_options(options);
  check_observations(law, observations);
  const Held held = held_parameters(law, options);
  FitRecord record = described(law, observations, options, held, std::move(name));

  std::vector<bool> free = held.fixed;
  free.flip();
  const auto unknowns = static_cast<std::size_t>(std::count(free.begin(), free.end(), true));
  const std::size_t runs = count_distinct(observations.cluster);
  if (observations.loss.empty() || observations.loss.size() < unknowns || runs < unknowns) {
    record.status = "refused: fewer runs than free parameters";
    record.warnings.push_back(
        fmt::format("{} runs with {} losses cannot decide {} free parameters, so nothing was fitted; add runs or fix "
                    "parameters",
                    runs, observations.loss.size(), unknowns));
    return record;
  }
  const auto design = design_warnings(law, observations, free);
  record.warnings.insert(record.warnings.end(), design.begin(), design.end());

  const Objective objective(law, observations, {.delta = options.huber_delta});
  const MultiStart starts =
      multi_start(objective, held.fixed, held.fitted, {.keep = options.starts, .threads = options.threads});
  store_optimum(record, objective, starts, observations, held);
  if (observations.loss.size() > unknowns) {
    store_covariance(record, objective, starts.best.fitted, observations);
    store_bootstrap(record, objective, starts.best.fitted, observations, options, held);
  } else {
    record.warnings.push_back(
        "as many parameters as losses: the fit passes through every point and has no intervals; "
        "add runs or fix parameters");
  }
  return record;
}

}  // namespace bitlaw
