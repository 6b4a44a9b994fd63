#include "simulators/train/trainer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/block/block_presets.h"
#include "simulators/model/transformer.h"
#include "simulators/optim/adamw.h"
#include "simulators/optim/optimizer.h"
#include "simulators/train/checkpoint.h"
#include "tests/support/long_test.h"
#include "tests/support/temporary_folder.h"

using namespace bitlaw;

namespace {

Recipe all_slots(const std::string& preset, RoundingMode rounding) {
  Recipe recipe;
  recipe.name = preset;
  for (SlotSpec& slot : recipe.base.slots) slot = {.block = block_preset(preset), .rounding = rounding};
  return recipe;
}

/// Parameters of the run's model.
std::size_t task_count(const TrainConfig& config, const TaskData& data) {
  return make_task(config, data)->parameters().layout().size();
}

/// A short run on a Markov source with every slot in mxfp4 and stochastic rounding, the hardest to reproduce.
TrainConfig short_run() {
  TrainConfig config;
  config.model = {.layers = 2, .width = 32, .heads = 2, .kv_heads = 1, .ffn = 48, .context = 16};
  config.corpus = {.kind = CorpusSpec::Kind::Synthetic, .files = {}, .vocabulary = 16, .length = 1 << 14};
  config.recipe = all_slots("mxfp4", RoundingMode::StochasticExact);
  config.batch = 4;
  config.tokens = 40 * config.tokens_per_step();
  config.eval_tokens = 512;
  config.seed = 3;
  return config;
}

}  // namespace

TEST_CASE("train: the same configuration gives the same bits") {
  const TrainConfig config = short_run();
  const TaskData data = load_task_data(config);
  const auto a = train(config, data), b = train(config, data);
  REQUIRE(a);
  REQUIRE(b);
  CHECK(a->state_hash == b->state_hash);
  CHECK(a->loss == b->loss);
  CHECK(a->train_loss == b->train_loss);
  TrainConfig other = config;
  other.seed = 4;
  CHECK(train(other, data)->state_hash != a->state_hash);
}

TEST_CASE("train: 1, 2 and 3 threads give the same bits, in float32 and with every slot stochastic") {
  TrainConfig config = short_run();
  config.model = {.layers = 1, .width = 64, .heads = 2, .kv_heads = 1, .ffn = 160, .context = 64};
  config.batch = 13;
  config.tokens = 2 * config.tokens_per_step();
  config.eval_tokens = 64;
  const TaskData data = load_task_data(config);
  for (const std::string preset : {"float32", "nvfp4"}) {
    CAPTURE(preset);
    config.recipe = preset == "float32" ? Recipe{} : all_slots(preset, RoundingMode::StochasticExact);
    const auto one = train(config, data);
    for (const int threads : {2, 3}) {
      const auto more = train(
          config, data, {.identity = {}, .checkpoint = {}, .threads = threads, .on_progress = {}, .should_stop = {}});
      CHECK(more->state_hash == one->state_hash);
      CHECK(more->loss == one->loss);
      CHECK(more->curve.back().train_loss == one->curve.back().train_loss);
    }
  }
}

TEST_CASE("train: stopped after any step and continued from its checkpoint, the bits are those of one go") {
  const TrainConfig config = short_run();
  const TaskData data = load_task_data(config);
  const auto whole = train(config, data);
  const TemporaryFolder folder;
  const std::string path = folder / "checkpoint";
  int steps = 0, stops = 0;
  const TrainOptions options{
      .identity = "run", .checkpoint = path, .on_progress = {}, .should_stop = [&] { return ++steps % 7 == 0; }};
  std::optional<RunRecord> pieces;
  while (!(pieces = train(config, data, options))) ++stops;
  CHECK(stops == 5);
  CHECK(pieces->state_hash == whole->state_hash);
  CHECK(pieces->loss == whole->loss);
  CHECK(pieces->train_loss == whole->train_loss);
  REQUIRE(pieces->curve.size() == whole->curve.size());
  for (std::size_t i = 0; i < whole->curve.size(); ++i) {
    CHECK(pieces->curve[i].train_loss == whole->curve[i].train_loss);
    CHECK(pieces->curve[i].gradient_norm == whole->curve[i].gradient_norm);
  }
}

TEST_CASE("train: statistics change no bits, survive a stop, and show the recipe and its shadows at work") {
  TrainConfig config = short_run();
  const TaskData data = load_task_data(config);
  const auto plain = train(config, data);
  CHECK(plain->statistics.empty());
  config.statistics = {.every = 15, .shadows = {all_slots("mxfp8", RoundingMode::TiesToEven), Recipe{}}};
  const auto watched = train(config, data);
  CHECK(watched->state_hash == plain->state_hash);
  CHECK(watched->loss == plain->loss);
  // 40 steps: 0, 15 and 30. Two blocks of four layers with six slots; two of the three recipes round.
  const RunStatistics& s = watched->statistics;
  CHECK(s.slots.size() == 3 * 2 * 8 * 6);
  CHECK(s.products.size() == 3 * 2 * 8 * 3);
  CHECK(s.gradients.size() == 3 * 3 * task_count(config, data));
  for (const SlotStatistics& row : s.slots) {
    if (row.recipe == "mxfp4") CHECK(row.snr_db < 22);  // 1 mantissa bit, stochastic
    if (row.recipe == "mxfp8") CHECK(row.snr_db > 25);  // 3 mantissa bits
    CHECK((row.oscillation > 0) == (row.recipe == "mxfp4" && row.slot == "fwd.w"));
  }
  for (const GradientStatistics& row : s.gradients) {
    if (row.recipe == "float32") CHECK(std::isinf(row.signal_to_noise));  // the same step
  }
  const TemporaryFolder folder;
  int steps = 0;
  const TrainOptions options{
      .identity = "run", .checkpoint = folder / "checkpoint", .on_progress = {}, .should_stop = [&] {
        return ++steps % 7 == 0;
      }};
  std::optional<RunRecord> pieces;
  while (!(pieces = train(config, data, options))) {
  }
  CHECK(pieces->statistics == watched->statistics);
}

TEST_CASE("train: a step and a clip that are learned leave bad values behind and halve the loss, and survive a stop") {
  struct Case {
    BlockStatistic statistic;
    Learned learned;
    std::int64_t x_groups, w_groups;  // of 32 features of x, of 8 outputs by 32 features of W
  };
  for (const auto& [statistic, kind, x_groups, w_groups] :
       {Case{BlockStatistic::Step, Learned::Layer, 1, 1}, Case{BlockStatistic::ClipRatio, Learned::Layer, 1, 1},
        Case{BlockStatistic::Step, Learned::Groups, 2, 16}, Case{BlockStatistic::ClipRatio, Learned::Groups, 2, 16}}) {
    CAPTURE(static_cast<int>(statistic));
    CAPTURE(static_cast<int>(kind));
    TrainConfig config;  // of linear regression without noise, whose loss is what rounding costs
    config.task = TaskKind::Regression;
    config.regression = {.kind = RegressionConfig::Kind::Gaussian, .outputs = 8};
    config.model.width = 32;
    for (const Slot slot : {Slot::FwdX, Slot::FwdW}) {
      BlockSpec block = *block_preset("int4_g32");
      block.statistic = statistic;
      if (kind == Learned::Groups) block.size = 16;
      block.parameter = statistic == BlockStatistic::Step ? 0.03 : 4.0;  // much too small, much too large
      config.recipe[slot] = {.block = block};
      config.recipe[slot].gradient.estimator = Estimator::Clipped;
    }
    config.optimizer.learning_rate = 3e-3;
    config.optimizer.weight_decay = 0;
    config.batch = 32;
    config.tokens = 1000 * config.tokens_per_step();
    config.eval_tokens = 64;
    const TaskData data = load_task_data(config);
    const auto fixed = train(config, data);
    for (const Slot slot : {Slot::FwdX, Slot::FwdW}) config.recipe[slot].learned = kind;
    config.statistics = {.every = 500, .shadows = {}};  // whose float32 model has fewer parameters
    const auto learned = train(config, data);
    CHECK(learned->train_loss < 0.5 * fixed->train_loss);
    const TemporaryFolder folder;
    const TrainOptions options{.identity = "run",
                               .checkpoint = folder / "checkpoint",
                               .on_progress = {},
                               .should_stop = [steps = 0]() mutable { return ++steps % 400 == 0; }};
    std::optional<RunRecord> pieces;
    while (!(pieces = train(config, data, options))) {
    }
    CHECK(pieces->state_hash == learned->state_hash);
    CHECK(pieces->statistics == learned->statistics);
    const auto task = make_task(config, data);
    const auto& layout = task->parameters().layout();
    CHECK(layout.size() == 3);
    CHECK(layout.back().name == "linear.fwd.w.scale");
    CHECK(layout.back().first == 32 * 8 + x_groups);
    CHECK(layout.back().size() == w_groups);
    CHECK_FALSE(layout.back().decays);
  }
}

// arXiv:2502.20853 sections 5 and 6: rounded weights swing, and rounding by their mean calms them.
TEST_CASE("train: weights that the mean guides move less after rounding than those to nearest") {
  TrainConfig config = short_run();
  config.recipe = all_slots("mxfp4", RoundingMode::TiesToEven);
  config.schedule = {.kind = ScheduleKind::Constant, .warmup = 0};
  config.tokens = 300 * config.tokens_per_step();
  config.statistics.every = 10;
  config.optimizer.mean_decay = 0.98;
  const TaskData data = load_task_data(config);
  const auto late_oscillation = [&] {
    const auto record = train(config, data);
    double sum = 0;
    int rows = 0;
    for (const SlotStatistics& row : record->statistics.slots) {
      if (row.slot != "fwd.w" || row.step < 150) continue;
      sum += row.oscillation;
      ++rows;
    }
    return sum / rows;
  };
  const double nearest = late_oscillation();
  config.recipe[Slot::FwdW].guided = true;
  const double guided = late_oscillation();
  CAPTURE(nearest);
  CAPTURE(guided);
  CHECK(guided < 0.7 * nearest);
}

/// Every operand in E4M3, scaled by the largest of the last three steps.
TrainConfig delayed_run() {
  TrainConfig config = short_run();
  config.recipe = all_slots("fp8_tensor", RoundingMode::StochasticExact);
  for (SlotSpec& slot : config.recipe.base.slots) {
    slot.delayed = DelayedScaling{.interval = 1, .history = 3, .margin = 1, .uses_current = false};
  }
  return config;
}

TEST_CASE("train: scaled by earlier steps, the bits are those of one go after any stop, with any number of threads") {
  const TrainConfig config = delayed_run();
  const TaskData data = load_task_data(config);
  const auto whole = train(config, data);
  CHECK(whole->loss < std::log(16.0));
  const TemporaryFolder folder;
  TrainOptions options{.identity = "run",
                       .checkpoint = folder / "checkpoint",
                       .checkpoint_seconds = 1e9,
                       .on_progress = {},
                       .should_stop = [] { return true; }};
  std::optional<RunRecord> pieces;
  while (!(pieces = train(config, data, options))) {
    CHECK(read_file(options.checkpoint).find("\"amax.block0.mlp.down.wgrad.g\"") != std::string::npos);
  }
  CHECK(pieces->state_hash == whole->state_hash);
  CHECK(pieces->loss == whole->loss);
  CHECK(train(config, data, {.identity = {}, .checkpoint = {}, .threads = 3, .on_progress = {}, .should_stop = {}})
            ->state_hash == whole->state_hash);

  TrainConfig current = config;
  for (SlotSpec& slot : current.recipe.base.slots) slot.delayed = std::nullopt;
  CHECK(train(current, data)->train_loss != whole->train_loss);
}

TEST_CASE(
    "train: looking at a run that is scaled by earlier steps, or evaluating it on the way, changes no bit of it") {
  TrainConfig config = delayed_run();
  const TaskData data = load_task_data(config);
  const auto alone = train(config, data);
  config.validate_every = 7;
  config.statistics.every = 5;
  const auto watched = train(config, data);
  CHECK(watched->state_hash == alone->state_hash);
  CHECK(watched->loss == alone->loss);
}

TEST_CASE("checkpoint: a curve with infinities and NaN comes back as it was") {
  const double infinite = std::numeric_limits<double>::infinity(), missing = std::nan("");
  TrainState state;
  state.parameters = {1, 2};
  state.layout = {{"w", 1, 2}};
  state.curve = {
      {.step = 3, .tokens = 4, .train_loss = 0.1 + 0.2, .gradient_norm = infinite, .validation_loss = -infinite},
      {.step = 5, .train_loss = missing}};
  const TemporaryFolder folder;
  save_checkpoint(folder / "checkpoint", "run", state);
  const std::vector<CurvePoint> curve = load_checkpoint(folder / "checkpoint", "run")->curve;
  REQUIRE(curve.size() == 2);
  CHECK(curve[0].train_loss == 0.1 + 0.2);
  CHECK(curve[0].gradient_norm == infinite);
  CHECK(curve[0].validation_loss == -infinite);
  CHECK(std::isnan(curve[0].validation_error));
  CHECK(curve[1].step == 5);
  CHECK(std::isnan(curve[1].train_loss));
}

TEST_CASE("train: damaged, short and foreign checkpoints are refused by name") {
  const TrainConfig config = short_run();
  const TaskData data = load_task_data(config);
  const TemporaryFolder folder;
  const std::string path = folder / "checkpoint";
  const auto run_as = [&](const std::string& identity) {
    return train(config, data,
                 {.identity = identity, .checkpoint = path, .on_progress = {}, .should_stop = [] { return true; }});
  };
  const auto message = [&](std::string_view why) {
    return path + ": this checkpoint " + std::string(why) +
           ", so the run cannot continue from it; delete the file to start the run again";
  };
  CHECK_FALSE(run_as("a"));
  CHECK_THROWS_WITH_AS(run_as("b"), message("belongs to another run").c_str(), InputError);
  std::string bytes = read_file(path);
  bytes[bytes.size() - 5] ^= 1;
  write_file_atomically(path, bytes);
  CHECK_THROWS_WITH_AS(run_as("a"), message("is damaged").c_str(), InputError);
  write_file_atomically(path, bytes.substr(0, 100));
  CHECK_THROWS_WITH_AS(run_as("a"), message("is cut short").c_str(), InputError);
}

TEST_CASE("train: a learning rate far too large is a diverged result, not an error") {
  TrainConfig config = short_run();
  config.optimizer.learning_rate = 1e30;
  config.optimizer.clip = 0;
  // Also when it is asked to stop at that very step.
  const TemporaryFolder folder;
  const auto record = train(config, load_task_data(config),
                            {.identity = "run",
                             .checkpoint = folder / "checkpoint",
                             .on_progress = {},
                             .should_stop = [&, steps = 0]() mutable { return ++steps > 1; }});
  REQUIRE(record);
  CHECK(record->diverged);
  CHECK(std::isnan(record->loss));
  CHECK(std::isnan(record->train_loss));
  CHECK(record->curve.size() <= 3);
}

TEST_CASE("train: on a source of known entropy the held-out loss comes down to it and stays above" * BITLAW_LONG_TEST) {
  TrainConfig config = short_run();
  config.recipe = Recipe{};
  config.corpus.length = 1 << 18;
  config.optimizer.learning_rate = 1e-2;
  config.batch = 16;
  config.tokens = 400 * config.tokens_per_step();
  config.eval_tokens = 1 << 13;
  const TaskData data = load_task_data(config);
  REQUIRE(data.corpus->entropy_rate);
  const double entropy = *data.corpus->entropy_rate;
  const auto record = train(config, data);
  CAPTURE(entropy);
  CAPTURE(record->loss);
  // The mean of -log p over 8192 symbols, each with a deviation of about 1 nat, scatters by 0.011 around the entropy:
  // 0.05 below is beyond four deviations, and a model that has learned the source ends within 0.05 above.
  CHECK(record->loss > entropy - 0.05);
  CHECK(record->loss < entropy + 0.05);
  CHECK(record->curve.front().train_loss > entropy + 0.5);
  CHECK(record->entropy_rate == entropy);
}

TEST_CASE("train: a model overfits one batch to less than 0.05 nats" * BITLAW_LONG_TEST) {
  const ModelConfig model_config{.layers = 2, .width = 64, .heads = 2, .kv_heads = 2, .context = 32};
  Transformer<float> model(model_config, 256, LayerPlan{}, 1);
  Optimizer optimizer({.weight_decay = 0}, model.parameters().layout(), 1);
  std::vector<std::uint16_t> inputs(128), targets(128);  // 4 sequences of bytes without any pattern
  std::uint32_t seed = 9;
  for (auto* tokens : {&inputs, &targets}) {
    for (std::uint16_t& token : *tokens)
      token = static_cast<std::uint16_t>((seed = seed * 1664525U + 1013904223U) >> 24);
  }
  double loss = 0;
  for (int step = 0; step < 200; ++step) {
    loss = model.forward(inputs, targets, 0);
    model.backward();
    const double norm = gradient_norm<float>(model.parameters().gradients());
    optimizer.update(model.parameters(), 3e-3, clip_factor(norm, 1.0), step);
  }
  CHECK(loss < 0.05);
}
