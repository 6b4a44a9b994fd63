#include "fitting/fit/fit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/base/check.h"
#include "core/base/closest.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "fitting/fit/all_finite.h"
#include "fitting/fit/fill_record.h"
#include "fitting/fit/multi_start.h"
#include "fitting/fit/objective.h"
#include "fitting/uncertainty/covariance.h"
#include "fitting/uncertainty/data_checks.h"
#include "fitting/uncertainty/identifiability.h"

namespace bitlaw {
namespace {

void check_options(const FitOptions& options) {
  const ObjectiveSpec& objective = options.objective;
  if (!(objective.delta > 0)) {
    throw InputError(fmt::format("huber_delta: {} is not positive, so the objective is empty; the usual value is 0.001",
                                 objective.delta));
  }
  if (!(objective.freedom > 0) || !(objective.over_factor > 0) || !(options.seed_noise >= 0)) {
    throw InputError(
        fmt::format("freedom {}, over_factor {}, seed_noise {}: the first two must be positive and the last "
                    "not negative, or the objective has no minimum; correct the one that is not",
                    objective.freedom, objective.over_factor, options.seed_noise));
  }
  if (!(options.level > 0 && options.level < 1)) {
    throw InputError(fmt::format(
        "level: {} is not between 0 and 1, so intervals would hold nothing or everything; the usual value is 0.95",
        options.level));
  }
  if (options.bootstrap < 0 || options.starts < 0 || options.threads < 1) {
    throw InputError(
        fmt::format("bootstrap {}, starts {}, threads {}: each counts something, so threads must be at "
                    "least 1 and the others at least 0; correct the one that is not",
                    options.bootstrap, options.starts, options.threads));
  }
}

/// "N = 1e+09, D = 1e+11"
std::string inputs_text(const Law& law, const std::vector<double>& values) {
  std::vector<std::string> texts;
  for (std::size_t k = 0; k < law.inputs().size(); ++k)
    texts.push_back(fmt::format("{} = {}", law.inputs()[k], values[k]));
  return fmt::format("{}", fmt::join(texts, ", "));
}

/// Natural values, each parameter's first start.
std::vector<double> first_starts(const Law& law) {
  std::vector<double> natural;
  for (const LawParameter& parameter : law.parameters()) natural.push_back(parameter.starts.front());
  return natural;
}

/// Whether the law takes the logarithm of an input that has none. Where it has a value all the same, as qat with G = 1,
/// that is its limit.
bool lacks_logarithm(const Law& law, const std::vector<double>& inputs) {
  return !all_finite(law.features(inputs)) && !std::isfinite(law.predict(first_starts(law), inputs));
}

void check_observations(const Law& law, const Observations& observations, Residual residual) {
  const std::size_t n = observations.loss.size();
  BITLAW_CHECK(observations.ids.size() == n && observations.inputs.size() == n && observations.cluster.size() == n,
               "{} losses, {} ids, {} rows of inputs, {} clusters", n, observations.ids.size(),
               observations.inputs.size(), observations.cluster.size());
  for (std::size_t i = 0; i < observations.loss.size(); ++i) {
    const bool logarithm = residual == Residual::Plain || observations.loss[i] > 0;
    if (!logarithm || !std::isfinite(observations.loss[i])) {
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
    if (lacks_logarithm(law, observations.inputs[i])) {
      throw InputError(fmt::format(
          "observation {}: law '{}' takes the logarithm of an input and there is none at {}, so the law has no value; "
          "leave the row out",
          observations.ids[i], law.name(), inputs_text(law, observations.inputs[i])));
    }
  }
}

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
  record.objective = describe(options.objective);
  record.level = options.level;
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

struct FoundOptimum {
  Objective objective;  ///< with its scale
  MultiStart starts;
};

/// A likelihood with a scale is first fitted as a Huber sum, whose minimum is near, then with its scale.
FoundOptimum find_optimum(const Law& law, const Observations& observations, const FitOptions& options,
                          const Held& held) {
  const SearchOptions search{.search = options.search,
                             .keep = options.starts > 0 ? options.starts : law.keep(),
                             .halving = options.halving,
                             .threads = options.threads};
  ObjectiveSpec first = options.objective;
  if (has_scale(first.loss)) first.loss = first.residual == Residual::Log ? Loss::Huber : Loss::LeastSquares;
  const Objective plain(law, observations, first);
  MultiStart starts = multi_start(plain, held.fixed, held.fitted, search);
  if (!has_scale(options.objective.loss) || starts.refined == 0) return {plain, std::move(starts)};
  const Objective likelihood(law, observations, options.objective);
  ScaledMinimum scaled = minimize_with_scale(likelihood, starts.best.fitted, held.fixed);
  starts.best = std::move(scaled.minimum);
  return {likelihood.with_scale(scaled.scale), std::move(starts)};
}

/// Where no starting point has a finite objective: says so, with the first row for which the law has no value where all
/// parameters have their first start.
void store_refusal(FitRecord& record, const Law& law, const Observations& observations, const ObjectiveSpec& spec,
                   const Held& held, std::size_t screened) {
  record.status = "refused: no starting point gives every observation a prediction";
  std::vector<double> natural = first_starts(law);
  std::vector<std::string> texts;
  for (std::size_t j = 0; j < natural.size(); ++j) {
    if (held.fixed[j]) natural[j] = to_natural(law.parameters()[j], held.fitted[j]);
    texts.push_back(fmt::format("{} = {:.4g}", law.parameters()[j].name, natural[j]));
  }
  std::string example;
  for (std::size_t i = 0; i < observations.loss.size() && example.empty(); ++i) {
    const double value = law.predict(natural, observations.inputs[i]);
    if (std::isfinite(value) && (value > 0 || spec.residual == Residual::Plain)) continue;
    example = fmt::format(" (at {} the law gives {:.4g} for observation {}, {})", fmt::join(texts, ", "), value,
                          observations.ids[i], inputs_text(law, observations.inputs[i]));
  }
  record.warnings.push_back(fmt::format(
      "at none of {} starting points are all predictions {}numbers{}, so nothing was fitted; leave such rows out, hold "
      "parameters where the law has a value, or say of a formula's parameters where they start",
      screened, spec.residual == Residual::Log ? "positive " : "", example));
}

}  // namespace

FitRecord fit_law(const Law& law, const Observations& observations, const FitOptions& options, std::string name) {
  check_options(options);
  check_observations(law, observations, options.objective.residual);
  const Held held = held_parameters(law, options);
  FitRecord record = described(law, observations, options, held, std::move(name));

  std::vector<bool> free = held.fixed;
  free.flip();
  const auto unknowns = static_cast<std::size_t>(std::count(free.begin(), free.end(), true));
  const std::size_t runs = count_distinct(observations.cluster);
  if (observations.loss.empty() || observations.loss.size() < unknowns) {
    record.status = "refused: fewer runs than free parameters";
    record.warnings.push_back(
        fmt::format("{} runs with {} losses cannot decide {} free parameters, so nothing was fitted; add runs or fix "
                    "parameters",
                    runs, observations.loss.size(), unknowns));
    return record;
  }
  if (runs <= unknowns && observations.loss.size() > unknowns) {
    record.warnings.push_back(fmt::format(
        "the {} losses come from {} runs, no more than the {} free parameters: rows of a run share its noise, so no "
        "interval can be given; add runs",
        observations.loss.size(), runs, unknowns));
  }
  const auto data = data_warnings(law, observations, unknowns);
  record.warnings.insert(record.warnings.end(), data.begin(), data.end());
  const auto design = design_warnings(law, observations, free);
  record.warnings.insert(record.warnings.end(), design.begin(), design.end());

  const FoundOptimum optimum = find_optimum(law, observations, options, held);
  if (optimum.starts.refined == 0) {
    store_refusal(record, law, observations, options.objective, held, optimum.starts.screened);
    return record;
  }
  record.objective = describe(optimum.objective.spec());
  if (has_scale(optimum.objective.spec().loss)) record.scale = optimum.objective.spec().scale;
  store_optimum(record, optimum.objective, optimum.starts, observations, held);
  if (observations.loss.size() > unknowns) {
    store_uncertainty(record, optimum.objective, optimum.starts.best.fitted, observations, options, held);
  } else {
    record.warnings.push_back(
        "as many parameters as losses: the fit passes through every point and has no intervals; "
        "add runs or fix parameters");
  }
  return record;
}

}  // namespace bitlaw
