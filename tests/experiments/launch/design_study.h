#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "experiments/launch/next_runs.h"
#include "fitting/design/exchange.h"
#include "fitting/design/information.h"
#include "fitting/fit/fit.h"
#include "fitting/predict/bands.h"

namespace bitlaw {

/// Ways to spend a budget on runs of a law of N and D, the experiment's fit, compared by what they know of the loss at
/// one place.
///
/// The experiment is a grid of sizes and tokens with seeds 0 to a few; the whole grid is its runs of seed 0, and a ray
/// those with D near `ray` N. A study is one set of losses: what training a run gives is the same whenever it is asked.
class DesignStudy {
 public:
  using Results = std::vector<std::optional<RunRecord>>;
  using LossOf = std::function<double(const PlannedRun& run, unsigned study)>;

  DesignStudy(Experiment experiment, double params, double tokens, double ray, LossOf loss_of)
      : experiment_(std::move(experiment)), at_{params, tokens}, loss_of_(std::move(loss_of)) {
    for (std::size_t i = 0; i < experiment_.runs.size(); ++i) {
      const PlannedRun& run = experiment_.runs[i];
      all_.push_back(i);
      if (seed_of(run) == 0) grid_.push_back(i);
      const double ratio = static_cast<double>(run.tokens) / static_cast<double>(run.counts.params);
      if (ratio > ray / std::sqrt(2.0) && ratio < ray * std::sqrt(2.0)) ray_.push_back(i);
    }
    grid_cost_ = cost_of(grid(0));
  }

  static std::int64_t seed_of(const PlannedRun& run) {
    return std::get<std::int64_t>(run.resolved().at("training.seed"));
  }

  double grid_cost() const { return grid_cost_; }  ///< [FLOP]
  const Experiment& experiment() const { return experiment_; }

  double cost_of(const Results& results) const {
    double cost = 0;
    for (std::size_t i = 0; i < results.size(); ++i) cost += results[i] ? cost_of(i) : 0;
    return cost;
  }

  Results grid(unsigned study) const {
    Results results(experiment_.runs.size());
    for (const std::size_t i : grid_) results[i] = trained(i, study);
    return results;
  }

  /// As `bitlaw run --adaptive --at` chooses.
  Results adaptive(unsigned study, double budget, int rounds) const {
    Results results(experiment_.runs.size());
    double left = budget;
    for (int round = 0; round < rounds; ++round) {
      NextRequest request;
      request.at = {fmt::format("N={},D={}", at_[0], at_[1])};
      request.budget = left / (rounds - round);
      const NextRuns next = next_runs(experiment_, results, PriceModel(), request);
      for (const std::size_t i : next.chosen) results[i] = trained(i, study);
      left -= next.cost;
    }
    return results;
  }

  /// Runs by lot, as long as each can be paid.
  Results random(unsigned study, double budget) const { return bought(study, budget, all_); }
  /// The same of those on the ray.
  Results ray(unsigned study, double budget) const { return bought(study, budget, ray_); }

  /// The least standard error there of runs for the budget, over the grid's, for who knows the law beforehand as all
  /// runs of a study show it. No design can be expected to do better.
  double least_error(unsigned study, double budget) const {
    Results all(experiment_.runs.size());
    for (const std::size_t i : all_) all[i] = trained(i, study);
    const FitRecord fit = fit_of(all);
    DesignPoint point{.law = law_of(experiment_.fits.front()), .natural = {}, .free = {}, .noise = fit.noise};
    for (const FittedParameter& parameter : fit.parameters) {
      point.natural.push_back(parameter.estimate);
      point.free.push_back(true);
    }
    DesignProblem problem{
        .information = information_of(point, {}), .candidates = {}, .aims = {point.slope(at_)}, .budget = budget};
    for (const std::size_t i : all_) {
      problem.candidates.push_back({point.slope(law_inputs(point.law, *all[i])), cost_of(i)});
    }
    const auto variance = [&](const std::vector<std::size_t>& runs) {
      return aim_variance(problem, runs, problem.aims.front());
    };
    return std::sqrt(variance(exchange_design(problem).chosen) / variance(grid_));
  }

  /// The loss predicted there from the results alone, and the relative standard error that the fit gives it.
  struct Outcome {
    double loss, band;
  };
  Outcome outcome_of(const Results& results) const {
    const Prediction at = predict_with_bands(law_of(experiment_.fits.front()), fit_of(results), at_, Residual::Log);
    return {at.value, at.standard_error / at.value};
  }

 private:
  FitRecord fit_of(const Results& results) const {
    std::vector<RunRecord> records;
    for (const auto& result : results) {
      if (result) records.push_back(*result);
    }
    const Law& law = law_of(experiment_.fits.front());
    FitOptions options = fit_options(experiment_.fits.front(), 1);
    options.bootstrap = 0;
    options.objective.loss = Loss::LeastSquares;
    return fit_law(law, observations_from_runs(law, records), options, "x");
  }

  double cost_of(std::size_t i) const { return experiment_.runs[i].counts.training_flops; }

  RunRecord trained(std::size_t i, unsigned study) const {
    RunRecord record = planned_record(experiment_.runs[i]);
    record.loss = loss_of_(experiment_.runs[i], study);
    return record;
  }

  Results bought(unsigned study, double budget, std::vector<std::size_t> order) const {
    std::shuffle(order.begin(), order.end(), std::mt19937(study));
    Results results(experiment_.runs.size());
    for (const std::size_t i : order) {
      if (cost_of(i) > budget) continue;
      budget -= cost_of(i);
      results[i] = trained(i, study);
    }
    return results;
  }

  Experiment experiment_;
  std::vector<double> at_;  ///< N, D
  LossOf loss_of_;
  std::vector<std::size_t> all_, grid_, ray_;
  double grid_cost_ = 0;
};

}  // namespace bitlaw
