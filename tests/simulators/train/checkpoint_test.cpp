#include "simulators/train/checkpoint.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <functional>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/block/block_presets.h"
#include "core/format/catalog.h"
#include "simulators/train/trainer.h"
#include "tests/support/long_test.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

using namespace bitlaw;

namespace {

/// A run that takes milliseconds, with stochastic rounding of slots, weights and moments.
TrainConfig tiny_run(std::int64_t steps) {
  TrainConfig config;
  config.model = {.layers = 1, .width = 8, .heads = 1, .kv_heads = 1, .ffn = 16, .context = 8};
  config.corpus = {.kind = CorpusSpec::Kind::Synthetic, .files = {}, .vocabulary = 8, .length = 1 << 12};
  config.recipe.name = "mxfp8";
  for (SlotSpec& slot : config.recipe.base.slots) {
    slot.block = block_preset("mxfp8");
    slot.rounding = RoundingMode::StochasticExact;
  }
  config.optimizer.weights = {
      .name = "bfloat16", .element = kBfloat16, .block = {}, .rounding = RoundingMode::StochasticExact};
  config.batch = 2;
  config.tokens = steps * config.tokens_per_step();
  config.eval_tokens = 64;
  config.seed = 5;
  return config;
}

TrainOptions saving_to(const std::string& checkpoint, std::function<bool()> should_stop = {}, double seconds = 30) {
  return {.identity = "run",
          .checkpoint = checkpoint,
          .checkpoint_seconds = seconds,
          .on_progress = {},
          .should_stop = std::move(should_stop)};
}

/// A fixed sequence of small numbers.
struct Dice {
  std::uint32_t state = 12345;
  std::uint32_t below(std::uint32_t bound) { return ((state = state * 1664525U + 1013904223U) >> 16) % bound; }
};

void same_curves(const RunRecord& a, const RunRecord& b) {
  REQUIRE(a.curve.size() == b.curve.size());
  for (std::size_t i = 0; i < a.curve.size(); ++i) {
    CAPTURE(i);
    CHECK(a.curve[i].train_loss == b.curve[i].train_loss);
    CHECK(a.curve[i].learning_rate == b.curve[i].learning_rate);
    CHECK(a.curve[i].s1 == b.curve[i].s1);
    CHECK(a.curve[i].s2 == b.curve[i].s2);
    CHECK((a.curve[i].validation_loss == b.curve[i].validation_loss ||
           (std::isnan(a.curve[i].validation_loss) && std::isnan(b.curve[i].validation_loss))));
  }
}

}  // namespace

TEST_CASE("train: stopped or killed 200 times at random points, the bits are those of one go" * BITLAW_LONG_TEST) {
  TrainConfig config = tiny_run(40);
  config.validate_every = 7;
  config.loss_scale = {.initial = 256, .interval = 9};
  config.optimizer.mean_decay = 0.9;
  config.recipe[Slot::FwdW].guided = true;
  const TaskData data = load_task_data(config);
  for (const OptimizerKind kind : {OptimizerKind::AdamW, OptimizerKind::StableSpam, OptimizerKind::Muon}) {
    config.optimizer.kind = kind;
    config.optimizer.stable_spam.reset_every = 16;
    const auto whole = train(config, data);
    const TemporaryFolder folder;
    const std::string path = folder / "checkpoint";
    Dice dice;
    int interruptions = 0;
    while (interruptions < 67) {
      std::optional<RunRecord> pieces;
      while (!pieces && interruptions < 67) {
        ++interruptions;
        if (dice.below(2) == 0) {  // asked to stop after some steps
          const std::uint32_t last = 1 + dice.below(12);
          pieces = train(config, data, saving_to(path, [&, steps = 0U]() mutable { return ++steps == last; }));
        } else {  // killed at some time, in the middle of a save too
          const pid_t child = ::fork();
          if (child == 0) {
            train(config, data, saving_to(path, {}, 0.001));
            ::_exit(0);
          }
          ::usleep(dice.below(6000));
          ::kill(child, SIGKILL);
          ::waitpid(child, nullptr, 0);
        }
      }
      if (!pieces) pieces = train(config, data, saving_to(path));
      CHECK(pieces->state_hash == whole->state_hash);
      CHECK(pieces->loss == whole->loss);
      CHECK(pieces->train_loss == whole->train_loss);
      same_curves(*pieces, *whole);
      std::filesystem::remove(path);
    }
  }
}

TEST_CASE("train: cooldowns branched from a kept checkpoint have the bits of whole runs") {
  TrainConfig trunk = tiny_run(60);
  trunk.schedule = {.kind = ScheduleKind::Wsd, .warmup_steps = 5, .decay_steps = 10, .final = 0};
  trunk.keep_checkpoints = {20, 40};
  trunk.curve_every = 1;
  const TaskData data = load_task_data(trunk);
  const TemporaryFolder folder;
  const std::string path = folder / "checkpoint";
  REQUIRE(train(trunk, data, saving_to(path)));
  for (const std::int64_t start : {20, 40}) {
    CAPTURE(start);
    TrainConfig whole = trunk;
    whole.keep_checkpoints.clear();
    whole.tokens = (start + 10) * whole.tokens_per_step();
    TrainConfig branch = whole;
    branch.start_from = kept_checkpoint(path, start).string();
    const auto a = train(whole, data), b = train(branch, data);
    CHECK(a->state_hash == b->state_hash);
    CHECK(a->loss == b->loss);
    CHECK(a->train_loss == b->train_loss);  // the last tenth lies in the branch
    same_curves(*a, *b);
  }
}

TEST_CASE("train: with the weights alone, a run starts at step 0 from where the other one ended") {
  const TrainConfig first = tiny_run(30);
  const TaskData data = load_task_data(first);
  const TemporaryFolder folder;
  TrainConfig kept = first;
  kept.keep_checkpoints = {30};
  kept.recipe = Recipe{};  // losses do not depend on random bits of the step
  kept.optimizer.weights = {};
  const auto ended = train(kept, data, saving_to(folder / "checkpoint"));
  TrainConfig next = kept;
  next.keep_checkpoints.clear();
  next.start_from = folder / "checkpoint.step30";
  next.start_with = StartWith::Weights;
  next.validate_every = 1000;
  next.optimizer.learning_rate = 0;
  const auto record = train(next, data);
  CHECK(record->curve[0].step == 0);
  CHECK(record->curve[0].validation_loss == ended->loss);
  CHECK(record->loss == ended->loss);
}

TEST_CASE("train: a checkpoint that does not fit is refused with both sizes or kinds and the remedy") {
  TrainConfig config = tiny_run(4);
  config.keep_checkpoints = {4};
  const TaskData data = load_task_data(config);
  const TemporaryFolder folder;
  REQUIRE(train(config, data, saving_to(folder / "checkpoint")));
  const std::string kept = folder / "checkpoint.step4";
  const auto message = [&](const std::function<void(TrainConfig&)>& change) {
    TrainConfig other = tiny_run(8);
    other.start_from = kept;
    change(other);
    return message_of([&] { train(other, data); });
  };
  const std::string tail =
      ", so this run cannot start from it; give another training.start_from or make the two runs agree";
  CHECK(message([](TrainConfig& c) { c.model.ffn = 8; }) ==
        kept + ": has a parameter block0.mlp.gate_up [32, 8] where the model has block0.mlp.gate_up [16, 8]" + tail);
  CHECK(message([](TrainConfig& c) { c.model.layers = 2; }) ==
        kept + ": has a parameter norm [1, 8] where the model has block1.attention.norm [1, 8]" + tail);
  // As many numbers in the same tensors: AdamW's moments are not those of Adam with L2.
  CHECK(message([](TrainConfig& c) { c.optimizer.kind = OptimizerKind::Adam; }) ==
        kept + ": was made with the optimizer adamw and this run has adam" + tail);
  CHECK(message([](TrainConfig& c) { c.optimizer.mean_decay = 0.9; }) ==
        kept + ": has no mean of the weights to go on with" + tail);
  CHECK(message([](TrainConfig& c) { c.tokens = 4 * c.tokens_per_step(); }) ==
        kept + ": has 4 steps behind it and the run ends after 4" + tail);
  CHECK(message([&](TrainConfig& c) { c.start_from = folder / "none"; }) ==
        folder / "none" +
            ": there is no such file, so no run can start from it; train the run that keeps it with "
            "training.keep_checkpoints, or give another file as training.start_from");
}

TEST_CASE("checkpoint: one of an earlier version is refused as such") {
  const TemporaryFolder folder;
  const std::string path = folder / "checkpoint";
  TrainState state;
  state.parameters = {1.0F};
  state.layout = {{"w", 1, 1}};
  state.optimizer = {{"first_moment", {2.0F}}};
  save_checkpoint(path, "run", state);
  CHECK(load_checkpoint(path, "run")->optimizer[0].values[0] == 2.0F);
  const std::string bytes = read_file(path), layout = "bitlaw checkpoint 4";
  for (const auto& [version, why] : {std::pair{'1', "was written by an earlier version of bitlaw"},
                                     {'3', "was written by an earlier version of bitlaw"},
                                     {'5', "has an unknown layout"}}) {
    std::string other = bytes;
    other[bytes.find(layout) + layout.size() - 1] = version;
    write_file_atomically(path, other);
    CHECK(message_of([&] { load_checkpoint(path, "run"); }) ==
          path + ": this checkpoint " + why +
              ", so the run cannot continue from it; delete the file to start the run again");
  }
}

TEST_CASE("checkpoint: the parameters come back by name and shape, and readers of safetensors find them there") {
  const TemporaryFolder folder;
  const std::string path = folder / "checkpoint";
  TrainState state;
  state.parameters = {1, 2, 3, 4, 5, 6, 7, 8};
  state.layout = {{"second", 2, 3}, {"first", 1, 2}};
  state.optimizer_kind = OptimizerKind::Muon;
  state.optimizer = {{"first_moment", {9, 10}}};
  save_checkpoint(path, "run", state);
  const auto back = load_checkpoint(path, "run");
  CHECK(back->parameters == state.parameters);
  CHECK(back->layout == state.layout);
  CHECK(back->optimizer_kind == OptimizerKind::Muon);
  CHECK(back->optimizer[0].values == state.optimizer[0].values);
  // The header as the format's specification has it: little-endian length, then JSON; offsets count from its end.
  const std::string bytes = read_file(path);
  const auto length = static_cast<unsigned char>(bytes[0]) + 256U * static_cast<unsigned char>(bytes[1]);
  CHECK(bytes.size() == 8 + length + 10 * sizeof(float));
  const std::string header = bytes.substr(8, length);
  CHECK(header.find(R"("parameters.second":{"data_offsets":[0,24],"dtype":"F32","shape":[2,3]})") != std::string::npos);
  CHECK(header.find(R"("parameters.first":{"data_offsets":[24,32],"dtype":"F32","shape":[1,2]})") != std::string::npos);
}

TEST_CASE("checkpoint: what a run can start from tells two apart by their content, wherever and however fast made") {
  TrainState state;
  state.parameters = {1, 2};
  state.layout = {{"w", 1, 2}};
  const std::string plain = content_fingerprint(state);
  TrainState slower = state;
  slower.wall_seconds = 5;
  CHECK(content_fingerprint(slower) == plain);
  TrainState other = state;
  other.parameters[1] = 3;
  CHECK(content_fingerprint(other) != plain);
  other = state;
  other.layout = {{"w", 2, 1}};
  CHECK(content_fingerprint(other) != plain);
  other = state;
  other.loss_scale.scale = 2;
  CHECK(content_fingerprint(other) != plain);
}

TEST_CASE("train: held-out losses taken on the way change no bit, and are the final loss where nothing is learned") {
  TrainConfig config = tiny_run(20);
  const TaskData data = load_task_data(config);
  const auto plain = train(config, data);
  config.validate_every = 5;
  const auto watched = train(config, data);
  CHECK(watched->state_hash == plain->state_hash);
  CHECK(watched->loss == plain->loss);
  config.optimizer.learning_rate = 0;
  const auto still = train(config, data);
  for (const CurvePoint& point : still->curve) {
    CAPTURE(point.step);
    CHECK(std::isnan(point.validation_loss) == (point.step % 5 != 0));
    if (point.step % 5 == 0) CHECK(point.validation_loss == still->loss);
  }
}

TEST_CASE("train: the curve is recorded as often as asked, with the areas of the learning rates") {
  TrainConfig config = tiny_run(20);
  config.curve_every = 6;
  config.schedule = {.kind = ScheduleKind::Linear, .warmup = 0, .final = 0};
  config.optimizer.learning_rate = 0.019;  // falls by 0.001 a step
  const auto record = train(config, load_task_data(config));
  std::vector<std::int64_t> steps;
  for (const CurvePoint& point : record->curve) steps.push_back(point.step);
  CHECK(steps == std::vector<std::int64_t>{0, 6, 12, 18, 19});
  const CurvePoint& last = record->curve.back();
  CHECK(last.s1 == doctest::Approx(0.001 * 19 * 20 / 2));
  double area = 0;  // sum over i of sum over k <= i of 0.001 lambda^(i - k)
  for (int i = 1; i <= 19; ++i) area += 0.001 * (1 - std::pow(0.999, i)) / (1 - 0.999);
  CHECK(last.s2 == doctest::Approx(area));
}

TEST_CASE("loss scaling: a power of two changes no bit in float32") {
  TrainConfig config = tiny_run(20);
  config.recipe = Recipe{};
  config.optimizer.weights = {};
  const TaskData data = load_task_data(config);
  const auto plain = train(config, data);
  config.loss_scale = {.initial = 1024, .interval = 3};
  const auto scaled = train(config, data);
  CHECK(scaled->state_hash == plain->state_hash);
  CHECK(scaled->curve.back().gradient_norm == plain->curve.back().gradient_norm);
}

TEST_CASE("loss scaling: gradients lost to a narrow format come back with it") {
  // E5M2 in units of 8192 has nothing below 2^-3, and gradients of a mean over 16 tokens are at most 2^-4.
  TrainConfig config = tiny_run(200);
  config.recipe.name = "e5m2";
  config.optimizer.weights = {};
  config.optimizer.weight_decay = 0;
  for (SlotSpec& slot : config.recipe.base.slots) slot = {};
  for (const Slot slot : {Slot::DgradG, Slot::WgradG}) {
    config.recipe[slot].block =
        BlockSpec{.element = kE5M2, .shape = BlockShape::Tensor, .statistic = BlockStatistic::Step, .parameter = 8192};
  }
  const TaskData data = load_task_data(config);
  const auto lost_norm = train(config, data)->curve[0].gradient_norm;
  config.loss_scale.initial = 65536;
  const auto kept_norm = train(config, data)->curve[0].gradient_norm;
  TrainConfig exact = config;
  exact.recipe = Recipe{};
  const auto exact_norm = train(exact, data)->curve[0].gradient_norm;
  CHECK(std::abs(kept_norm / exact_norm - 1) < 0.02);
  CHECK(std::abs(lost_norm / exact_norm - 1) > 0.05);
}

TEST_CASE("loss scaling: a step whose gradient overflows changes no parameter, and the scale backs off") {
  TrainConfig config = tiny_run(6);
  config.recipe = Recipe{};
  config.optimizer.weights = {};
  config.curve_every = 1;
  const TaskData data = load_task_data(config);
  const TemporaryFolder folder;
  TrainConfig first = config;
  first.keep_checkpoints = {6};
  REQUIRE(train(first, data, saving_to(folder / "checkpoint")));
  const std::string kept = folder / "checkpoint.step6";
  TrainState state = load_start(kept);
  for (float& value : state.parameters) value *= 16.0F;  // gradients far above 1
  save_checkpoint(kept, "run", state);
  config.start_from = kept;
  config.start_with = StartWith::Weights;
  TrainConfig still = config;
  still.optimizer.learning_rate = 0;
  config.loss_scale = {.initial = 0x1p126, .backoff = 0x1p-60};
  const auto record = train(config, data), unmoved = train(still, data);
  CHECK_FALSE(std::isfinite(record->curve[0].gradient_norm));
  CHECK(std::isfinite(record->curve[1].gradient_norm));
  CHECK(record->curve[1].train_loss == unmoved->curve[1].train_loss);
  CHECK(record->curve[2].train_loss != unmoved->curve[2].train_loss);
  CHECK_FALSE(record->diverged);
  // S1 is the sum of the rates that moved the weights: nothing after the first step, which was skipped.
  CHECK(record->curve[0].learning_rate > 0);
  CHECK(record->curve[0].s1 == 0);
  double sum = 0;
  for (std::size_t i = 1; i < record->curve.size(); ++i) {
    sum += record->curve[i].learning_rate;
    CHECK(record->curve[i].s1 == doctest::Approx(sum));
  }
}
