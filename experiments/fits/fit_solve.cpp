#include "experiments/fits/fit_solve.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "experiments/fits/fit_preparation.h"
#include "fitting/fit/fit.h"
#include "fitting/predict/metrics.h"

namespace bitlaw {
namespace {

/// Without what a first fit finds by the rule that --outliers stated.
Observations without_stated_outliers(const Law& law, const Observations& observations, FitOptions options,
                                     const FitRequest& request) {
  const double threshold = outlier_threshold(request);
  if (threshold == 0) return observations;
  options.bootstrap = 0;
  options.profile = options.jackknife = false;
  const FitRecord first = fit_law(law, observations, options, "");
  if (first.refused()) return observations;
  const auto outliers = outliers_of(first.observed, first.predicted, options.objective.residual, threshold);
  return without_outliers(observations, outliers, threshold);
}

}  // namespace

std::vector<FitMetrics> metrics_of_split(const std::string& split, const FitProblem& problem,
                                         const Observations& observations, const std::vector<double>& predicted) {
  if (problem.curves) return metrics_by_curve(split, observations, predicted);
  return {metrics_of(split, observations.loss, predicted)};
}

std::vector<double> predictions_of(const Law& law, const std::vector<double>& natural,
                                   const Observations& observations) {
  std::vector<double> predicted;
  for (const std::vector<double>& inputs : observations.inputs) predicted.push_back(law.predict(natural, inputs));
  return predicted;
}

std::vector<FittedData> solve(const FitProblem& problem, const FitRequest& request, int threads) {
  const Law& law = law_of(problem.spec);
  const FitOptions options = fit_options(problem.spec, threads);
  std::vector<FittedData> fits;
  for (const FitData& data : problem.data) {
    FittedData fitted{{}, data, {}};
    try {
      fitted.data.observations = without_stated_outliers(law, data.observations, options, request);
      fitted.fit = fit_law(law, fitted.data.observations, options, data.name);
    } catch (const InputError& error) {
      throw InputError(fmt::format("{}: {}", request.files().front(), error.what()));
    }
    if (!problem.settings.empty()) fitted.fit.equation += ", " + problem.settings;
    fitted.fit.metrics = metrics_of_split("train", problem, fitted.data.observations, fitted.fit.predicted);
    if (!data.held_out.loss.empty()) {
      fitted.held_out_predicted = predictions_of(law, fitted.fit.estimates(), data.held_out);
      const auto test = metrics_of_split("test", problem, data.held_out, fitted.held_out_predicted);
      fitted.fit.metrics.insert(fitted.fit.metrics.end(), test.begin(), test.end());
    }
    fits.push_back(std::move(fitted));
  }
  return fits;
}

}  // namespace bitlaw
