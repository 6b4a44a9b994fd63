#include "simulators/train/early_stop.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>

#include "core/record/sweep_file.h"
#include "simulators/train/trainer.h"
#include "tests/support/temporary_folder.h"

using namespace bitlaw;

namespace {

/// Sixty steps, each on the curve, of a model that learns for a while.
TrainConfig run_of_60_steps() {
  TrainConfig config;
  config.model = {.layers = 1, .width = 16, .heads = 2, .kv_heads = 1, .ffn = 24, .context = 8};
  config.corpus = {.kind = CorpusSpec::Kind::Synthetic, .files = {}, .vocabulary = 8, .length = 1 << 12};
  config.batch = 4;
  config.tokens = 60 * config.tokens_per_step();
  config.eval_tokens = 256;
  config.optimizer.learning_rate = 0.02;
  config.curve_every = 1;
  return config;
}

std::vector<double> losses_of(const RunRecord& record) {
  std::vector<double> losses;
  for (const CurvePoint& point : record.curve) losses.push_back(point.train_loss);
  return losses;
}

double mean(const std::vector<double>& x, std::size_t begin, std::size_t end) {
  double sum = 0;
  for (std::size_t i = begin; i < end; ++i) sum += x[i];
  return sum / static_cast<double>(end - begin);
}

/// The first point for which the rule of the header holds; the number of points when it never does.
std::size_t first(const std::vector<double>& losses, const std::function<bool(std::size_t)>& holds) {
  std::size_t i = 0;
  while (i < losses.size() && !holds(i)) ++i;
  return i;
}

/// Which point ends a run whose points have these losses, and why.
std::pair<std::size_t, std::optional<StopReason>> fed(const StopConfig& config, const std::vector<double>& losses) {
  EarlyStop stop(config, 1, std::ssize(losses));
  for (std::size_t i = 0; i < losses.size(); ++i) {
    CurvePoint point{.step = static_cast<std::int64_t>(i)};
    point.train_loss = losses[i];
    if (const auto reason = stop.after(point)) return {i, reason};
  }
  return {losses.size(), std::nullopt};
}

}  // namespace

TEST_CASE("early stop: divergence is a loss above the factor times the least one before it") {
  const StopConfig twice{.divergence = 2};
  CHECK(fed(twice, {4, 3, 6, 5.9, 2, 4, 4.001}) == std::pair(std::size_t{6}, std::optional(StopReason::Divergence)));
  CHECK(fed(twice, {1, 2, 2}).second == std::nullopt);  // equal is not above
  CHECK(fed({}, {1, 1e9}).second == std::nullopt);
}

TEST_CASE("early stop: a plateau is a mean of n points that is not below its share of the mean of the n before") {
  const StopConfig two{.plateau = 2};
  CHECK(fed(two, {9, 7, 8, 6, 6, 7, 8}) == std::pair(std::size_t{6}, std::optional(StopReason::Plateau)));
  CHECK(fed(two, {4, 4, 4, 4, 4}).second == std::nullopt);  // as good as before is not worse
  CHECK(fed({.plateau = 2, .plateau_gain = 0.01}, {4, 4, 4, 4}).first == 3);
  CHECK(fed({.plateau = 1, .plateau_gain = 0.5}, {8, 4, 2, 1.5}).first == 3);
}

TEST_CASE("early stop: a ceiling is for the mean of n points, from its share of the steps on") {
  const std::vector<double> losses{9, 9, 9, 4, 2, 3, 3, 4, 3, 3};
  const StopConfig two{.ceiling = 3, .ceiling_from = 0.3, .ceiling_points = 2};  // means 6.5, 3, 2.5, 3, 3.5, ...
  CHECK(fed(two, losses) == std::pair(std::size_t{3}, std::optional(StopReason::Ceiling)));
  StopConfig other = two;
  other.ceiling_from = 0.4;
  CHECK(fed(other, losses).first == 7);
  other.ceiling_from = 0.8;
  CHECK(fed(other, losses).first == 8);
  other.ceiling_from = 0.9;
  CHECK(fed(other, losses).second == std::nullopt);  // equal is not above
  other = two;
  other.ceiling_points = 7;
  CHECK(fed(other, losses).first == 6);  // before, there are no seven
  other.ceiling_points = 1;
  other.ceiling = 9;
  CHECK(fed(other, losses).second == std::nullopt);
}

TEST_CASE("early stop: of eighty runs with FP4 a ceiling ends the two that broke down with finite losses") {
  // data/README.md: UE5M3 scales without a tensor scale, seeds 5 and 7. Other rules would have to be tuned to the noise
  // of batches: each of these runs has losses above 1.1 times its least, and none has one above twice that.
  const SweepFile sweep = read_sweep_file(BITLAW_SOURCE_DIR "/data/results/fp4_language.h5");
  REQUIRE(sweep.runs.size() == 80);
  std::vector<std::pair<std::string, std::uint64_t>> ended;
  for (const RunRecord& run : sweep.runs) {
    const std::int64_t steps = run.curve.back().step + 1;
    EarlyStop ceiling({.ceiling = 2.5}, 1, steps), divergence({.divergence = 2}, 1, steps);
    bool is_ended = false;
    for (const CurvePoint& point : run.curve) {
      is_ended = is_ended || ceiling.after(point);
      CHECK_FALSE(divergence.after(point));
    }
    if (is_ended) ended.emplace_back(run.precision, run.seed);
  }
  CHECK(ended == std::vector<std::pair<std::string, std::uint64_t>>{{"ue5m3_plain", 5}, {"ue5m3_plain", 7}});
}

TEST_CASE("early stop: held-out losses are watched where they are taken") {
  EarlyStop stop({.divergence = 2, .watch = StopConfig::Watch::Validation}, 1, 100);
  CurvePoint point;  // no held-out loss
  for (const double train_loss : {1.0, 100.0}) {
    point.train_loss = train_loss;
    CHECK_FALSE(stop.after(point));
  }
  for (const double loss : {3.0, 5.0}) {
    point.validation_loss = loss;
    CHECK_FALSE(stop.after(point));
  }
  point.validation_loss = 6.5;
  CHECK(stop.after(point) == StopReason::Divergence);
}

TEST_CASE(
    "train: a plateau ends the run at the point that the whole run's curve tells, and the curve is its beginning") {
  TrainConfig config = run_of_60_steps();
  const TaskData data = load_task_data(config);
  const std::vector<double> whole = losses_of(*train(config, data));
  REQUIRE(whole.size() == 60);
  config.stop = {.plateau = 4, .plateau_gain = 0.02};
  const std::size_t end = first(
      whole, [&](std::size_t i) { return i >= 7 && mean(whole, i - 3, i + 1) > 0.98 * mean(whole, i - 7, i - 3); });
  REQUIRE(end > 8);
  REQUIRE(end < 58);
  const RunRecord stopped = *train(config, data);
  CHECK(stopped.stopped == "plateau");
  CHECK_FALSE(stopped.diverged);
  CHECK(losses_of(stopped) == std::vector<double>(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(end) + 1));
  CHECK(stopped.tokens == static_cast<std::int64_t>(end + 1) * config.tokens_per_step());
  CHECK(stopped.flops ==
        doctest::Approx(task_counts(config, data).training_flops * static_cast<double>(end + 1) / 60).epsilon(1e-12));
  const std::size_t steps = end + 1, tail = steps - steps / 10;
  CHECK(stopped.train_loss == doctest::Approx(mean(whole, std::min(tail, end), end + 1)).epsilon(1e-12));
  CHECK(std::isfinite(stopped.loss));
}

TEST_CASE(
    "train: stopped by a signal after any step and continued, an early stop comes at the same step with the same "
    "bits") {
  TrainConfig config = run_of_60_steps();
  config.stop = {.plateau = 4, .plateau_gain = 0.02};
  const TaskData data = load_task_data(config);
  const RunRecord whole = *train(config, data);
  const TemporaryFolder folder;
  for (int every = 1; every <= 5; ++every) {
    CAPTURE(every);
    TrainOptions options;
    options.identity = "id";
    options.checkpoint = folder / std::to_string(every);
    std::optional<RunRecord> record;
    for (int attempts = 0; !record && attempts < 100; ++attempts) {
      int steps = 0;
      options.should_stop = [&] { return ++steps % every == 0; };
      record = train(config, data, options);
    }
    REQUIRE(record);
    CHECK(record->stopped == "plateau");
    CHECK(record->state_hash == whole.state_hash);
    CHECK(losses_of(*record) == losses_of(whole));
    CHECK(record->loss == whole.loss);
  }
}

TEST_CASE("train: a run that is above its ceiling ends there, and its loss is a number") {
  TrainConfig config = run_of_60_steps();
  const TaskData data = load_task_data(config);
  const std::vector<double> whole = losses_of(*train(config, data));
  const double ceiling = mean(whole, 38, 42) - 1e-9;
  config.stop = {.ceiling = ceiling, .ceiling_from = 0.6, .ceiling_points = 4};
  const std::size_t end = first(whole, [&](std::size_t i) { return i >= 36 && mean(whole, i - 3, i + 1) > ceiling; });
  REQUIRE(end <= 41);
  const RunRecord stopped = *train(config, data);
  CHECK(stopped.stopped == "ceiling");
  CHECK_FALSE(stopped.diverged);
  CHECK(stopped.tokens == static_cast<std::int64_t>(end + 1) * config.tokens_per_step());
  CHECK(std::isfinite(stopped.loss));
}

TEST_CASE("train: a budget allows as many steps as it pays for, at least one, and all that are planned") {
  TrainConfig config = run_of_60_steps();
  const TaskData data = load_task_data(config);
  const double step = task_counts(config, data).training_flops / 60;
  const auto steps_with = [&](double budget) {
    config.stop.budget = budget;
    const RunRecord record = *train(config, data);
    CHECK(record.stopped == (record.tokens < config.tokens ? "budget" : ""));
    return record.tokens / config.tokens_per_step();
  };
  CHECK(steps_with(12.5 * step) == 12);
  CHECK(steps_with(0.5 * step) == 1);
  CHECK(steps_with(100 * step) == 60);
}

TEST_CASE("train: a loss that rises to a multiple of the least counts as diverged") {
  TrainConfig config = run_of_60_steps();
  const TaskData data = load_task_data(config);
  config.optimizer.learning_rate = 3;  // far too high
  config.optimizer.clip = 0;
  const std::vector<double> whole = losses_of(*train(config, data));
  const std::size_t end = first(whole, [&](std::size_t i) {
    return i > 0 && whole[i] > 1.5 * *std::min_element(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(i));
  });
  REQUIRE(end < whole.size() - 1);
  REQUIRE(std::isfinite(whole[end]));
  config.stop.divergence = 1.5;
  const RunRecord stopped = *train(config, data);
  CHECK(stopped.stopped == "divergence");
  CHECK(stopped.diverged);
  CHECK(std::isnan(stopped.loss));
  CHECK(losses_of(stopped).size() == end + 1);
}

TEST_CASE("train: a rule that fires at the last step leaves nothing out") {
  TrainConfig config = run_of_60_steps();
  const TaskData data = load_task_data(config);
  config.tokens = 2 * config.tokens_per_step();
  const RunRecord whole = *train(config, data);
  config.stop = {.plateau = 1, .plateau_gain = 0.999};
  const RunRecord again = *train(config, data);
  CHECK(again.stopped.empty());
  CHECK(again.state_hash == whole.state_hash);
  CHECK(again.train_loss == whole.train_loss);
}
