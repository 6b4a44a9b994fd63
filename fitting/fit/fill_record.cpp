#include "fitting/fit/fill_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>

#include "core/base/distributions.h"
#include "core/base/limits.h"
#include "core/base/parallel_for.h"
#include "fitting/uncertainty/bootstrap.h"
#include "fitting/uncertainty/covariance.h"
#include "fitting/uncertainty/derived.h"
#include "fitting/uncertainty/diagnosis.h"
#include "fitting/uncertainty/identifiability.h"
#include "fitting/uncertainty/percentile_intervals.h"
#include "fitting/uncertainty/profile.h"
#include "fitting/uncertainty/variance_freedom.h"

namespace bitlaw {
namespace {

constexpr double kAtBound = 1e-6;  // distance to a bound, fitted coordinates

void append(std::vector<std::string>& to, const std::vector<std::string>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

/// For two-sided intervals of `level`: Student's quantile; NaN without degrees of freedom.
double t_quantile(double freedom, double level) {
  return freedom > 0 ? student_quantile(freedom, (1 + level) / 2) : kNan;
}

/// The degrees of freedom of a variance; of all runs where it has none of its own.
double freedom_of(const Covariance& covariance, double own) {
  return own > 0 && covariance.degrees_of_freedom > 0 ? own : covariance.degrees_of_freedom;
}

bool is_free(const FittedParameter& parameter) { return !parameter.fixed && !parameter.at_bound; }

void store_covariance(FitRecord& record, const Law& law, const std::vector<double>& fitted,
                      const Covariance& covariance) {
  const std::size_t p = fitted.size();
  record.condition_number = covariance.condition_number;
  record.degrees_of_freedom = covariance.degrees_of_freedom;
  record.variance_form = covariance.form;
  append(record.warnings, curvature_warnings(law, covariance.condition_number, covariance.directions));
  record.diagnosis.singular_values = covariance.singular_values;
  record.diagnosis.directions = covariance.directions;
  record.diagnosis.leverage = covariance.leverage;

  // Delta method: d natural / d fitted is the natural value itself for a logarithm, 1 otherwise.
  const auto scale = [&](std::size_t j) {
    return law.parameters()[j].transform == Transform::Log ? record.parameters[j].estimate : 1.0;
  };
  for (std::size_t j = 0; j < p; ++j) {
    for (std::size_t k = 0; k < p; ++k) {
      record.covariance[j * p + k] = covariance.matrix[j * p + k] * scale(j) * scale(k);
    }
  }
  for (std::size_t j = 0; j < p; ++j) {
    if (!is_free(record.parameters[j])) continue;
    FittedParameter& out = record.parameters[j];
    const double t = t_quantile(freedom_of(covariance, covariance.freedom[j]), record.level),
                 deviation = std::sqrt(covariance.matrix[j * p + j]);
    out.standard_error = deviation * scale(j);
    out.ci_low = to_natural(law.parameters()[j], fitted[j] - t * deviation);
    out.ci_high = to_natural(law.parameters()[j], fitted[j] + t * deviation);
  }
}

void store_profile(FitRecord& record, const Objective& objective, const std::vector<double>& fitted,
                   const Covariance& covariance, const Held& held, int threads) {
  parallel_for(fitted.size(), threads, [&](std::size_t j) {
    if (held.fixed[j]) return;
    const double t = t_quantile(freedom_of(covariance, covariance.freedom[j]), record.level);
    const ProfileInterval ends = profile_interval(objective, fitted, held.fixed, covariance, j, t);
    const LawParameter& parameter = objective.law().parameters()[j];
    FittedParameter& out = record.parameters[j];
    out.profile_low = std::isfinite(ends.low) ? to_natural(parameter, ends.low) : ends.low;
    out.profile_high = std::isfinite(ends.high) ? to_natural(parameter, ends.high) : ends.high;
  });
  for (const FittedParameter& out : record.parameters) {
    const bool open_low = std::isinf(out.profile_low), open_high = std::isinf(out.profile_high);
    if (!open_low && !open_high) continue;
    record.warnings.push_back(
        fmt::format("the interval of {} is open {}: the others make up for any value there, so the data do not bound "
                    "it; fix one of "
                    "them or add runs that vary its input",
                    out.name, open_low && open_high ? "on both sides" : (open_low ? "downwards" : "upwards")));
  }
}

void store_jackknife(FitRecord& record, const Objective& objective, const std::vector<double>& fitted,
                     const Observations& observations, const Held& held, int threads) {
  if (record.degrees_of_freedom <= 0) return;  // without a run the others decide nothing
  const Law& law = objective.law();
  const std::vector<double> estimates = leave_one_out(objective, fitted, held.fixed, observations.cluster, threads);
  const std::vector<double> errors = jackknife_errors(estimates, fitted.size());
  std::vector<double> deviations;  // of the covariance, fitted coordinates
  for (std::size_t j = 0; j < fitted.size(); ++j) {
    FittedParameter& out = record.parameters[j];
    const double scale = law.parameters()[j].transform == Transform::Log ? out.estimate : 1.0;
    if (is_free(out)) out.jackknife_error = errors[j] * scale;
    deviations.push_back(is_free(out) ? out.standard_error / scale : kNan);
  }
  std::vector<std::string> runs;
  for (const std::string& run : observations.cluster) {
    if (std::find(runs.begin(), runs.end(), run) == runs.end()) runs.push_back(run);
  }
  record.diagnosis.shifts = shifts_without_run(estimates, fitted, deviations);
  append(record.warnings, influence_warnings(law, runs, record.diagnosis.shifts));
  record.diagnosis.left_out = std::move(runs);
}

void store_derived(FitRecord& record, const Law& law, const std::vector<double>& fitted, const Covariance& covariance,
                   double compute, const PercentileIntervals& percentiles) {
  const std::vector<double> natural = law.to_natural(fitted);
  const std::vector<Derived> quantities = derived_quantities(law, compute);
  if (compute > 0 && quantities.size() == derived_quantities(law, 0).size()) {
    record.warnings.push_back(
        fmt::format("no formula is known for what is best at {:g} FLOP by this law, so it is not told; bitlaw optimum "
                    "searches for it",
                    compute));
  }
  for (const Derived& quantity : quantities) {
    DerivedQuantity& out = record.derived.emplace_back();
    out.name = quantity.name;
    out.units = quantity.units;
    out.estimate = quantity.value(natural);
    out.standard_error = delta_method_error(law, quantity, fitted, covariance.matrix);
    const double freedom =
        freedom_of(covariance, variance_freedom(covariance.form, gradient_of(law, quantity, fitted)));
    const double t = t_quantile(freedom, record.level);
    out.ci_low = out.estimate - t * out.standard_error;
    out.ci_high = out.estimate + t * out.standard_error;
    const bool log = out.estimate > 0 && quantity.units != "1";  // a positive number that may be off by factors
    if (log) {
      out.ci_low = out.estimate * std::exp(-t * out.standard_error / out.estimate);
      out.ci_high = out.estimate * std::exp(t * out.standard_error / out.estimate);
    }
    std::tie(out.boot_low, out.boot_high) = percentiles.of(quantity.value, out.estimate, log, freedom);
  }
}

/// The ratio of widths from which intervals disagree: two, and what is left open by both being estimated from that many
/// spare runs. Measured on good designs: README.md.
double disagreement(std::size_t spare_runs) { return 2 * (1 + 2 / std::sqrt(static_cast<double>(spare_runs))); }

PercentileIntervals store_bootstrap(FitRecord& record, const Objective& objective, const std::vector<double>& fitted,
                                    const Covariance& covariance, const Observations& observations,
                                    const FitOptions& options, const Held& held) {
  const Law& law = objective.law();
  const BootstrapOptions bootstrap_options{.resampling = options.resampling,
                                           .count = options.bootstrap,
                                           .noise = options.seed_noise,
                                           .seed = options.seed,
                                           .threads = options.threads};
  const std::size_t runs = count_distinct(observations.cluster);
  const auto unknowns = static_cast<std::size_t>(std::count(held.fixed.begin(), held.fixed.end(), false));
  if (options.bootstrap == 0 || runs <= unknowns) return {};
  record.draws = bootstrap(objective, fitted, held.fixed, observations.cluster, bootstrap_options);
  PercentileIntervals percentiles{.draws = record.draws,
                                  .p = fitted.size(),
                                  .runs = runs,
                                  .unknowns = unknowns,
                                  .level = record.level,
                                  .widened = options.resampling == Resampling::Runs};
  if (percentiles.widened) {
    percentiles.second =
        second_draws(objective, fitted, held.fixed, observations.cluster, record.draws, bootstrap_options);
  }
  const double most = disagreement(runs - unknowns);
  for (std::size_t j = 0; j < fitted.size(); ++j) {
    FittedParameter& out = record.parameters[j];
    if (out.fixed) continue;
    std::tie(out.boot_low, out.boot_high) =
        percentiles.of([j](std::span<const double> draw) { return draw[j]; }, out.estimate,
                       law.parameters()[j].transform == Transform::Log, freedom_of(covariance, covariance.freedom[j]));

    const auto width = [&](double low, double high) {
      return to_fitted(law.parameters()[j], high) - to_fitted(law.parameters()[j], low);
    };
    const double ratio = width(out.boot_low, out.boot_high) / width(out.ci_low, out.ci_high);
    out.intervals_disagree = ratio > most || ratio < 1 / most;  // not for NaN
    if (out.intervals_disagree) {
      record.warnings.push_back(
          fmt::format("the {:.4g} % intervals of {} disagree: the bootstrap's is {:.2g} times as wide as the "
                      "covariance's; trust the wider one and add runs",
                      100 * record.level, out.name, ratio));
    }
  }
  return percentiles;
}

void store_residuals(FitRecord& record, const Objective& objective, const std::vector<double>& fitted,
                     const Observations& observations) {
  std::vector<double> residuals(objective.size()), jacobian(objective.size() * fitted.size());
  objective.residuals(fitted, residuals, jacobian);  // in the objective's own kind
  const auto free =
      static_cast<std::size_t>(std::count_if(record.parameters.begin(), record.parameters.end(), is_free));
  if (free > 0) {
    record.diagnosis.cook = cook_distances(residuals, record.diagnosis.leverage, objective.weights(), free);
  }
  if (objective.law().is_of_shares()) return;
  const bool log = objective.spec().residual == Residual::Log;
  for (std::size_t i = 0; i < record.observed.size(); ++i) {
    const double observed = record.observed[i], predicted = record.predicted[i];
    residuals[i] = log ? std::log(observed / predicted) : observed - predicted;  // plain ones may have no logarithms
  }
  record.diagnosis.residual_tests = residual_tests(objective.law(), observations, residuals, jacobian);
  append(record.warnings, residual_warnings(record.diagnosis.residual_tests));
}

/// See FitRecord::noise.
double noise_of(const FitRecord& record, Residual residual, std::size_t unknowns) {
  std::vector<double> sizes;
  for (std::size_t i = 0; i < record.observed.size(); ++i) {
    const double observed = record.observed[i], predicted = record.predicted[i];
    sizes.push_back(std::abs(residual == Residual::Log ? std::log(observed / predicted) : observed - predicted));
  }
  if (sizes.size() <= unknowns) return kNan;
  const auto middle = sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2);
  std::nth_element(sizes.begin(), middle, sizes.end());
  const double n = static_cast<double>(sizes.size());
  return 1.4826 * *middle / std::sqrt(1 - static_cast<double>(unknowns) / n);
}

}  // namespace

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
  record.noise = noise_of(record, objective.spec().residual,
                          static_cast<std::size_t>(std::count(held.fixed.begin(), held.fixed.end(), false)));
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

void store_uncertainty(FitRecord& record, const Objective& objective, const std::vector<double>& fitted,
                       const Observations& observations, const FitOptions& options, const Held& held) {
  const Law& law = objective.law();
  std::vector<bool> free;
  for (const FittedParameter& parameter : record.parameters) free.push_back(is_free(parameter));
  const Covariance covariance = robust_covariance(objective, fitted, free, observations.cluster);
  store_covariance(record, law, fitted, covariance);
  const PercentileIntervals percentiles =
      store_bootstrap(record, objective, fitted, covariance, observations, options, held);
  if (options.profile) store_profile(record, objective, fitted, covariance, held, options.threads);
  if (options.jackknife) store_jackknife(record, objective, fitted, observations, held, options.threads);
  store_derived(record, law, fitted, covariance, options.compute, percentiles);
  store_residuals(record, objective, fitted, observations);
}

}  // namespace bitlaw
