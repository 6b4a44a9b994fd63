#include "experiments/fits/trace_accuracy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/error.h"
#include "simulators/test_time/model_shape.h"
#include "simulators/test_time/task_family.h"

namespace bitlaw {
namespace {

/// Of one answerer: scores within each limit summed over the answers to a task, [tasks, limits], and their number.
struct TaskScores {
  std::vector<double> sums;
  std::vector<int> answers;
};

TaskScores scores_of(const Traces& traces, const Answerer& answerer, std::span<const double> limits) {
  TaskScores scores{std::vector<double>(traces.tasks.size() * limits.size()), std::vector<int>(traces.tasks.size())};
  for (const Answer& answer : answerer.answers) {
    if (std::isnan(answer.tokens)) {
      throw InputError(
          fmt::format("{}: an answer of {} to '{}' has no 'tokens', so nobody knows within how many it came; write the "
                      "length of every answer",
                      answerer.first_place, answerer.words.model, traces.tasks[answer.task]));
    }
    ++scores.answers[answer.task];
    for (std::size_t k = 0; k < limits.size(); ++k) {
      if (static_cast<double>(answer.tokens) <= limits[k]) {
        scores.sums[answer.task * limits.size() + k] += static_cast<double>(answer.score);
      }
    }
  }
  return scores;
}

}  // namespace

Observations accuracy_observations(const Traces& traces, std::span<const std::size_t> answerers,
                                   std::span<const double> params, std::span<const double> limits) {
  const std::size_t tasks = traces.tasks.size(), batches = std::min(tasks, kMostBatches), width = limits.size();
  Observations observations;
  for (std::size_t a = 0; a < answerers.size(); ++a) {
    const TaskScores scores = scores_of(traces, traces.answerers[answerers[a]], limits);
    for (std::size_t batch = 0; batch < batches; ++batch) {
      std::vector<double> sums(width);
      double answered = 0;
      for (std::size_t task = batch; task < tasks; task += batches) {
        if (scores.answers[task] == 0) continue;
        ++answered;
        for (std::size_t k = 0; k < width; ++k) sums[k] += scores.sums[task * width + k] / scores.answers[task];
      }
      if (answered == 0) continue;
      for (std::size_t k = 0; k < width; ++k) {
        observations.ids.push_back(fmt::format("batch {}", batch + 1));
        observations.inputs.push_back({params[a], limits[k]});
        observations.loss.push_back(sums[k] / answered);
        observations.weights.push_back(answered);
      }
    }
  }
  observations.cluster = observations.ids;
  return observations;
}

std::vector<double> usual_token_limits(const Traces& traces, std::span<const std::size_t> answerers) {
  constexpr int kCount = 8;
  std::vector<float> lengths;
  for (const std::size_t a : answerers) {
    for (const Answer& answer : traces.answerers[a].answers) {
      if (!std::isnan(answer.tokens)) lengths.push_back(answer.tokens);
    }
  }
  std::sort(lengths.begin(), lengths.end());
  std::vector<double> limits;
  for (int i = 0; i < kCount && !lengths.empty(); ++i) {
    const double share = 0.05 + 0.9 * i / (kCount - 1);
    const auto at = static_cast<std::size_t>(share * static_cast<double>(lengths.size() - 1));
    limits.push_back(static_cast<double>(lengths[at]));
  }
  limits.erase(std::unique(limits.begin(), limits.end()), limits.end());
  return limits;
}

std::vector<std::string> form_warnings(const Observations& observations, std::span<const double> predicted) {
  constexpr double kErrors = 4;
  struct Cell {
    double weight = 0, sum = 0, squares = 0, count = 0;  ///< of weighted residuals
  };
  std::map<std::vector<double>, Cell> cells;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    Cell& cell = cells[observations.inputs[i]];
    const double residual = observations.weights[i] * (observations.loss[i] - predicted[i]);
    cell.weight += observations.weights[i];
    cell.sum += residual;
    cell.squares += residual * residual;
    ++cell.count;
  }
  std::size_t off = 0;
  double worst = kErrors;
  std::string example;
  for (const auto& [inputs, cell] : cells) {
    const double mean = cell.sum / cell.weight;
    const double error = std::sqrt(cell.squares - cell.sum * cell.sum / cell.count) / cell.weight;
    const double size = std::abs(mean) / error;
    if (!(size > kErrors)) continue;
    ++off;
    if (size <= worst) continue;
    worst = size;
    example = fmt::format("at N = {:.4g} and T = {:.4g} by {:+.4f}, {:.1f} standard errors", inputs[0], inputs[1], mean,
                          size);
  }
  if (off == 0) return {};
  return {fmt::format(
      "{} of {} accuracies are not the law's, most of all {}: lengths may go with difficulty, or success may not "
      "saturate like this; do not extrapolate, or fit fewer lengths or sizes",
      off, cells.size(), example)};
}

ObjectiveSpec accuracy_objective() { return {.loss = Loss::LeastSquares, .residual = Residual::Plain}; }

SyntheticDesign accuracy_design() {
  constexpr int kTasks = 200, kAnswers = 8;
  const TaskFamily family{.token_exponent = 0.1, .hard_tokens = 0};
  std::vector<SimulatedModel> models;
  std::vector<std::size_t> answerers;
  std::vector<double> params;
  for (const ModelShape& shape : model_shapes()) {
    answerers.push_back(models.size());
    models.push_back({{.model = shape.name}, shape.params});
    params.push_back(shape.params);
  }
  SyntheticDesign design{.law = &find_law("accuracy"),
                         .description = fmt::format("{} tasks, {} answers of {} models each, cut at 5 lengths", kTasks,
                                                    kAnswers, models.size()),
                         .truth = {family.ceiling, family.half_params, family.slope, family.median_tokens,
                                   family.token_exponent, family.sigma},
                         .objective = accuracy_objective()};
  design.draw = [=](std::uint64_t seed, std::uint32_t set) {
    const std::vector<double> limits{5000, 7000, 10000, 16000, 32000};
    const Traces traces = simulate_traces(family, models, kTasks, kAnswers, (seed << 32U) + set);
    return accuracy_observations(traces, answerers, params, limits);
  };
  return design;
}

}  // namespace bitlaw
