#include "experiments/launch/next_runs.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "core/base/file.h"
#include "experiments/launch/adaptive.h"
#include "experiments/sweep/run_id.h"
#include "tests/experiments/launch/design_study.h"
#include "tests/experiments/launch/toy_runs.h"
#include "tests/experiments/sweep/plan_text.h"
#include "tests/support/long_test.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

using namespace bitlaw;

namespace {

using Results = DesignStudy::Results;

/// 5 sizes, 6 numbers of tokens, 4 seeds.
constexpr std::string_view kGrid =
    "experiment: grid\n"
    "corpus: {kind: synthetic, vocabulary: 16, length: 4096}\n"
    "model: {layers: 2, width: 32, heads: 2, context: 16}\n"
    "training: {batch: 4, eval_tokens: 64}\n"
    "sweep:\n"
    "  grid: {model.width: [8, 16, 32, 64, 96], training.tokens: [2e4, 4e4, 8e4, 1.6e5, 3.2e5, 6.4e5]}\n"
    "  seeds: 4\n"
    "fits: [{law: chinchilla}]\n";

/// The law that losses are made from, with the noise of runs.
constexpr double kE = 1.5, kA = 40, kAlpha = 0.4, kB = 90, kBeta = 0.4, kNoise = 0.005;
const std::string kAt = "N=1e6,D=2e7";

double truth(double params, double tokens) {
  return kE + kA * std::pow(params, -kAlpha) + kB * std::pow(tokens, -kBeta);
}

DesignStudy planted_study() {
  return {plan_text(kGrid), 1e6, 2e7, 20, [](const PlannedRun& run, unsigned study) {
            std::seed_seq seeds{study, static_cast<unsigned>(run.point)};
            std::mt19937 random(seeds);
            const double noise = std::normal_distribution<double>(0, kNoise)(random);
            return truth(static_cast<double>(run.counts.params), static_cast<double>(run.tokens)) * std::exp(noise);
          }};
}

double cost_of(const PlannedRun& run) { return run.counts.training_flops; }

/// Root mean squares over studies.
struct Summary {
  double errors = 0, bands = 0, cost = 0;
  int studies = 0;

  void add(const DesignStudy::Outcome& outcome, double spent) {
    const double error = std::log(outcome.loss / truth(1e6, 2e7));
    errors += error * error;
    bands += outcome.band * outcome.band;
    cost = std::max(cost, spent);
    ++studies;
  }
  double error() const { return std::sqrt(errors / studies); }
  double band() const { return std::sqrt(bands / studies); }
};

/// What four ways to spend a budget know at kAt.
struct Comparison {
  Summary grid, adaptive, random, ray;
  int narrower = 0;  ///< studies in which the adaptive band is at most the grid's
};

Comparison compare(unsigned studies) {
  const DesignStudy designs = planted_study();
  const double cost = designs.grid_cost();
  Comparison result;
  for (unsigned study = 0; study < studies; ++study) {
    const auto add = [&](Summary& summary, const Results& results) {
      const DesignStudy::Outcome outcome = designs.outcome_of(results);
      summary.add(outcome, designs.cost_of(results) / cost);
      return outcome.band;
    };
    const double whole = add(result.grid, designs.grid(study));
    if (add(result.adaptive, designs.adaptive(study, 0.4 * cost, 4)) <= whole) ++result.narrower;
    add(result.random, designs.random(study, 0.4 * cost));
    add(result.ray, designs.ray(study, 0.4 * cost));
  }
  return result;
}

}  // namespace

TEST_CASE("next: on a planted law, two fifths of a grid's FLOPs give the grid's band, unlike random runs or one ray") {
  const Comparison ten = compare(10);
  CHECK(ten.adaptive.cost <= 0.4);
  CHECK(ten.adaptive.band() <= ten.grid.band());
  CHECK(ten.narrower >= 7);  // each band is itself estimated from some dozens of residuals
  CHECK_FALSE(ten.random.band() <= ten.adaptive.band());
  CHECK_FALSE(ten.ray.band() <= 2 * ten.adaptive.band());  // both may be NaN: such runs can decide nothing
}

TEST_CASE("next: on a planted law, predictions are as near the truth as the grid's and as their bands say" *
          BITLAW_LONG_TEST) {
  const Comparison many = compare(100);
  CHECK(many.adaptive.error() <= 1.05 * many.grid.error());
  CHECK(many.adaptive.error() < 0.8 * many.random.error());
  CHECK(many.adaptive.error() < 0.5 * many.ray.error());
  CHECK(many.adaptive.error() <= 1.2 * many.adaptive.band());
  INFO("rms errors: grid " << many.grid.error() << ", adaptive " << many.adaptive.error() << ", random "
                           << many.random.error() << ", ray " << many.ray.error());
  CHECK(many.adaptive.cost <= 0.4);
}

TEST_CASE(
    "next: where the law has no value for the runs that are done, it is believed as without any, and that is said") {
  std::string text(kGrid);
  const std::string fit = "{law: chinchilla}";
  text.replace(text.find(fit), fit.size(), "{formula: 'a - N', inputs: [N]}");
  NextRequest request;
  request.budget = 1e12;
  const NextRuns next = next_runs(plan_text(text), planted_study().grid(0), PriceModel(), request);
  CHECK(next.believed ==
        "at the middle of its bounds, since no values were found by which the law predicts all 30 runs; noise taken as "
        "1 %");
  CHECK(next.noise == 0.01);
}

TEST_CASE("next: runs chosen for one parameter tell more of it than runs chosen for all") {
  const Experiment experiment = plan_text(kGrid);
  NextRequest request;
  request.budget = 1e12;
  const auto error_of_alpha = [&] {
    const NextRuns next = next_runs(experiment, Results(experiment.runs.size()), PriceModel(), request);
    const auto found = std::find_if(next.expectations.begin(), next.expectations.end(),
                                    [](const Expectation& e) { return e.what == "alpha"; });
    return found->after;
  };
  const double for_all = error_of_alpha();
  request.parameters = {"alpha"};
  CHECK(error_of_alpha() < 0.95 * for_all);
}

TEST_CASE("next: the file keeps what is done and what is chosen, whatever words and numbers tell runs apart") {
  const TemporaryFolder folder;
  const std::string base = folder.write(
      "x.yaml", small("precisions: {mine: {all: mxfp4}}\n"
                      "sweep:\n"
                      "  grid: {precision: [float32, mine], training.optimizer.learning_rate: [1e-3, 3e-4]}\n"
                      "  zip: {model.width: [32, 64], training.tokens: [512, 1024]}\n"
                      "  derive: {training.batch: 'model_width / 16'}\n"
                      "fits: [{law: chinchilla, where: {precision: mine}}]\n"));
  const Experiment experiment = plan_experiment(base, {"training.seed=5"});
  NextRuns next;
  next.fit = "chinchilla";
  next.done = {3};
  next.chosen = {0, 5};
  const std::filesystem::path deeper = folder / "deeper";
  std::filesystem::create_directory(deeper);
  write_next_yaml(deeper / "next.yaml", base, {"training.seed=5"}, experiment, next, "bitlaw next x.yaml");
  const Experiment kept = plan_experiment(deeper / "next.yaml", {"training.seed=5"});
  CHECK(ids(kept) == std::vector{experiment.runs[0].id, experiment.runs[3].id, experiment.runs[5].id});
  CHECK_FALSE(std::filesystem::exists(deeper / "next.yaml.new"));
}

TEST_CASE("next: runs of other fits are no candidates, and time is a budget, too") {
  const Experiment experiment =
      plan_text(small("sweep: {grid: {precision: [float32, mxfp4], training.tokens: [512, "
                      "1024, 2048]}}\n"
                      "fits: [{law: chinchilla, per: precision}]\n"));
  NextRequest request;
  request.fit = "chinchilla_mxfp4";
  request.by_time = true;
  request.budget = 1e9;
  const NextRuns next = next_runs(experiment, Results(6), PriceModel(), request);
  CHECK(next.candidates == 3);
  CHECK(next.chosen == std::vector<std::size_t>{3, 4, 5});
  CHECK(next.by_criterion_d);
  CHECK(next.costs.front() == PriceModel().seconds(experiment.runs[3].work));
}

TEST_CASE("next: what cannot be met is refused by name") {
  const Experiment two =
      plan_text(small("sweep: {grid: {precision: [float32, mxfp4]}}\n"
                      "fits: [{law: chinchilla, per: precision, fixed: {alpha: 0.3}}]\n"));
  const auto refusal_of = [](const Experiment& experiment, const NextRequest& request) {
    return message_of([&] { next_runs(experiment, Results(experiment.runs.size()), PriceModel(), request); });
  };
  CHECK(refusal_of(two, {}) ==
        "experiment 'tiny' has 2 fits, and runs are chosen for one; add --fit with one of: chinchilla_float32, "
        "chinchilla_mxfp4");
  NextRequest request;
  request.fit = "chinchilla_mxfp8";
  CHECK(refusal_of(two, request) ==
        "--fit chinchilla_mxfp8: the experiment has no fit of this name; did you mean 'chinchilla_mxfp4'?");
  request.fit = "chinchilla_mxfp4";
  request.parameters = {"alpha"};  // it is held
  CHECK(refusal_of(two, request) ==
        "--parameter alpha: law 'chinchilla' has no free parameter of this name; use one of: A, B, beta, E");
  CHECK(refusal_of(plan_text(kSmall), {}) ==
        "experiment 'tiny' has no fits, so no run can tell more than another; add fits: [{law: chinchilla}] to its "
        "file");
}

namespace {

/// Trains by the planted law, until `stops_after` runs were begun.
LaunchOptions planted(int stops_after, int& begun) {
  static ToyTrainer silent;
  LaunchOptions options = quiet(silent);
  options.runner = [stops_after, &begun](const TrainConfig& config, const TaskData&,
                                         const TrainOptions&) -> std::optional<RunRecord> {
    if (begun++ >= stops_after) return std::nullopt;
    RunRecord record;
    record.params = parameter_count(config.model);
    record.tokens = config.steps() * config.tokens_per_step();
    record.precision = config.recipe.name;
    record.loss = truth(static_cast<double>(record.params), static_cast<double>(record.tokens)) *
                  (1 + 1e-3 * static_cast<double>(config.seed % 3));
    record.state_hash = "planted";
    return record;
  };
  return options;
}

std::vector<std::string> ids_of(const ExperimentOutcome& outcome) {
  std::vector<std::string> ids;
  for (const RunRecord& run : outcome.runs) ids.push_back(run.run_id);
  return ids;
}

}  // namespace

TEST_CASE("run_adaptively: rounds train what is chosen within the budget, and a stop changes nothing") {
  const Experiment experiment = plan_text(kGrid);
  double all = 0;
  for (const PlannedRun& run : experiment.runs) all += cost_of(run);
  NextRequest request;
  request.at = {kAt};
  request.budget = 0.05 * all;

  const TemporaryFolder whole, stopped;
  int begun = 0;
  const ExperimentOutcome once = run_adaptively(experiment, whole.path(), "c", planted(1'000'000, begun), request, 3);
  CHECK(once.trained == once.runs.size());
  CHECK(once.runs.size() > 10);
  double cost = 0;
  for (const PlannedRun& run : experiment.runs) {
    const auto ids = ids_of(once);
    if (std::find(ids.begin(), ids.end(), run.id) != ids.end()) cost += cost_of(run);
  }
  CHECK(cost <= request.budget);
  CHECK(cost >= 0.8 * request.budget);
  CHECK(std::filesystem::exists(once.sweep_file));

  int again = 0;
  CHECK(run_adaptively(experiment, stopped.path(), "c", planted(7, again), request, 3).stopped);
  const ExperimentOutcome resumed =
      run_adaptively(experiment, stopped.path(), "c", planted(1'000'000, begun), request, 3);
  CHECK(ids_of(resumed) == ids_of(once));
  CHECK(read_file(stopped / "adaptive.json") == read_file(whole / "adaptive.json"));
}

TEST_CASE("run_adaptively: a budget below every run and a damaged journal are refused") {
  const Experiment experiment = plan_text(kGrid);
  const TemporaryFolder folder;
  int begun = 0;
  NextRequest request;
  request.budget = 1;
  CHECK(message_of([&] { run_adaptively(experiment, folder / "a", "c", planted(9, begun), request, 2); }) ==
        "experiment 'grid': the budget is less than any run costs, so nothing was trained; raise it, bitlaw sweep plan "
        "shows what runs cost");
  write_file_atomically(folder / "a/adaptive.json", "{\"request\": 1");
  const std::string message =
      message_of([&] { run_adaptively(experiment, folder / "a", "c", planted(9, begun), request, 2); });
  CHECK(message.find("adaptive.json: not what was written there") != std::string::npos);
  CHECK(begun == 0);
}
