#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/file.h"
#include "simulators/train/trainer.h"
#include "tests/experiments/sweep/plan_text.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {
namespace {

TrainConfig config_of(const std::string& training) {
  return plan_text("experiment: t\ncorpus: {kind: synthetic, length: 4096}\ntraining: {eval_tokens: 256, " + training +
                   "}\n")
      .runs[0]
      .config();
}

std::string refused(const std::string& training) {
  return refusal("experiment: t\ncorpus: {kind: synthetic, length: 4096}\ntraining: {eval_tokens: 256, " + training +
                 "}\n");
}

TEST_CASE("training keys: those of an optimizer or schedule that is not chosen leave the id alone") {
  const auto id = [](const std::string& training) {
    return plan_text("experiment: t\ncorpus: {kind: synthetic, length: 4096}\ntraining: {eval_tokens: 256" + training +
                     "}\n")
        .runs[0]
        .id;
  };
  const std::string plain = id("");
  for (const char* idle :
       {", optimizer: {kind: adamw, momentum: 0.5, nesterov: false, muon_scale: spectral, gamma1: 0.5}",
        ", optimizer: {weights_format: float32, weights_round: stochastic}", ", loss_scale: {growth: 4}",
        ", schedule: {cycles: 7, gamma: 0.5, milestones: [0.5], decay: 0.5, decay_steps: 9}", ", curve_every: 0",
        ", start_with: weights"}) {
    CAPTURE(idle);
    CHECK(id(idle) == plain);
  }
  for (const char* telling :
       {", optimizer: {kind: adam}", ", optimizer: {moment2_format: e4m3}", ", loss_scale: {initial: 2}",
        ", schedule: {warmup_steps: 3}", ", schedule: {kind: wsd, decay_steps: 9}", ", curve_every: 3",
        ", validate_every: 3", ", keep_checkpoints: [1]"}) {
    CAPTURE(telling);
    CHECK(id(telling) != plain);
  }
}

TEST_CASE("stop keys: a rule that is given counts for the id, one that is off or has nothing to say does not") {
  const std::string plain = ids(plan_text(kSmall))[0];
  for (const char* idle :
       {"stop: {divergence: 0}\n", "stop: {plateau: 0, plateau_gain: 0.1}\n", "stop: {budget: 0, watch: training}\n",
        "stop: {ceiling: 0, ceiling_from: 0.2, ceiling_points: 3}\n"}) {
    CAPTURE(idle);
    CHECK(ids(plan_text(small(idle)))[0] == plain);
  }
  std::vector<std::string> others{plain};
  for (const char* telling :
       {"stop: {divergence: 3}\n", "stop: {plateau: 4}\n", "stop: {plateau: 4, plateau_gain: 0.1}\n",
        "stop: {budget: 1e9}\n", "stop: {ceiling: 3}\n", "stop: {ceiling: 3, ceiling_from: 0.2}\n",
        "stop: {ceiling: 3, ceiling_points: 3}\n",
        "stop: {plateau: 4, watch: validation}\ntraining.validate_every: 2\n"}) {
    others.push_back(ids(plan_text(small(telling)))[0]);
  }
  std::sort(others.begin(), others.end());
  CHECK(std::unique(others.begin(), others.end()) == others.end());
  CHECK(ids(plan_text(small("sweep: {grid: {stop.plateau: [0, 4]}}\n"))).front() == plain);
}

TEST_CASE("stop keys: rules that could never hold are refused") {
  CHECK(refusal(small("stop: {divergence: 0.5}\n")) ==
        "x.yaml:5:20: stop.divergence 0.5 is not above 1, so the first loss that is not the least would end the run; "
        "choose for example 3");
  CHECK(refusal(small("stop: {plateau: 9}\n")) ==  // 1024 tokens, 64 a step
        "x.yaml:5:17: stop.plateau 9 compares as many points of the curve with as many before them and the run has 16 "
        "steps, so it would never end it; choose less");
  CHECK(
      refusal(small("stop: {ceiling: 3, ceiling_points: 17}\n")) ==
      "x.yaml:5:36: stop.ceiling_points 17 is a mean over as many points of the curve and the run has 16 steps, so it "
      "would never end it; choose less");
  CHECK(
      refusal(small("stop: {plateau: 4, watch: validation}\n")) ==
      "x.yaml:5:27: stop.watch is 'validation' and training.validate_every is not given, so there would be nothing to "
      "watch; add for example training.validate_every: 100");
  CHECK(refusal(small("stop: {plateu: 4}\n")).find("did you mean 'plateau'?") != std::string::npos);
}

TEST_CASE("training keys: a run that starts from a checkpoint is known by its content, wherever it lies") {
  const TemporaryFolder folder;
  const Experiment trunk = plan_text(small("training.keep_checkpoints: [8]\n"));
  const auto train_into = [&](const std::string& name, std::uint64_t seed) {
    TrainConfig config = trunk.runs[0].config();
    config.seed = seed;
    TrainOptions options;
    options.checkpoint = folder / name;
    REQUIRE(train(config, *trunk.runs[0].data, options));
    return folder / (name + ".step8");
  };
  const std::string a = train_into("a", 0), again = train_into("again", 0), b = train_into("b", 1);
  const auto id = [](const std::string& start) {
    return plan_text(small("training.start_from: " + start + "\n")).runs[0].id;
  };
  CHECK(id(a) == id(again));
  CHECK(id(a) != id(b));
  CHECK(id(a) != plan_text(kSmall).runs[0].id);
  // What does not fit is found before anything is trained.
  const std::string remedy =
      ", so this run cannot start from it; give another training.start_from or make the two runs agree";
  CHECK(refusal(small("training.start_from: " + a + "\ntraining.optimizer: {kind: sgd}\n")) ==
        "x.yaml:5:22: " + a + ": was made with the optimizer adamw and this run has sgd" + remedy);
  CHECK(refusal(small("training.start_from: none\n")) ==
        "x.yaml:5:22: none: there is no such file, so no run can start from it; train the run that keeps it with "
        "training.keep_checkpoints, or give another file as training.start_from");
}

TEST_CASE("training keys: a schedule's file counts by its points") {
  const TemporaryFolder folder;
  const auto id = [&](const std::string& name, const std::string& text) {
    return plan_text(small("training.schedule: {kind: file, file: " + folder.write(name, text) + "}\n")).runs[0].id;
  };
  const std::string one = id("one", "0 1\n9 0.5\n");
  CHECK(id("two", "# the same\n0,1\n9,0.5\n") == one);
  CHECK(id("three", "0 1\n9 0.25\n") != one);
}

TEST_CASE("training keys: formats of weights and moments are block presets or number formats") {
  const TrainConfig config = config_of(
      "optimizer: {kind: muon, nesterov: false, weights_format: bf16, weights_round: stochastic, moment1_format: "
      "mxfp8, "
      "moment2_format: ue4m3, moment2_round: toward_positive}");
  CHECK(config.optimizer.kind == OptimizerKind::Muon);
  CHECK_FALSE(config.optimizer.nesterov);
  CHECK(config.optimizer.weights.name == "bfloat16");
  CHECK(config.optimizer.weights.rounding == RoundingMode::StochasticExact);
  CHECK(config.optimizer.moment1.block);
  CHECK_FALSE(config.optimizer.moment2.element->is_signed);
  CHECK(config.optimizer.moment2.rounding == RoundingMode::TowardPositive);
  CHECK(refused("optimizer: {moment1_format: ue4m3}") ==
        "x.yaml:3:58: training.optimizer.moment1_format 'ue4m3' has no sign, so it cannot hold these numbers; use a "
        "format with one");
  CHECK(
      refused("optimizer: {weights_format: float64}") ==
      "x.yaml:3:58: training.optimizer.weights_format 'float64' is wider than float32, in which updates are computed; "
      "use at most 8 exponent and 23 mantissa bits, or float32");
}

TEST_CASE("training keys: a schedule is read from a file of steps and factors") {
  const TemporaryFolder folder;
  const std::string path = folder / "schedule.csv";
  write_file_atomically(path, "step,factor\n# up, then down\n0, 0.5\n10 1\n\n20\t0.25\r\n");
  const TrainConfig config = config_of("schedule: {kind: file, file: " + path + "}");
  CHECK(config.schedule.points == std::vector<std::pair<std::int64_t, double>>{{0, 0.5}, {10, 1.0}, {20, 0.25}});
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"0 1\n1\n", ":2: is not two numbers"},
           {"0 1\n1 1 1\n", ":2: is not two numbers"},
           {"0.5 1\n", ":1: has a step that is not whole"},
           {"1 -1\n", ":1: has a factor below zero"},
           {"1 1\n1 0\n", ":2: has a step that is not above the one before"},
           {"step,factor\n", ":1: is the end and no line had a point"}}) {
    write_file_atomically(path, text);
    CHECK(refused("schedule: {kind: file, file: " + path + "}") ==
          "x.yaml:3:59: " + path + why +
              ", so the schedule is not known; write lines of a step and a factor, "
              "'STEP,FACTOR'");
  }
}

TEST_CASE("training keys: parts of training that do not fit each other are refused") {
  CHECK(refused("schedule: {kind: file}") ==
        "x.yaml:3:47: training.schedule.kind is 'file' and there is no training.schedule.file, so no learning rate is "
        "known; give the file or choose another kind");
  CHECK(
      refused("schedule: {kind: wsd, decay_shape: exponential, final: 0}") ==
      "x.yaml:3:85: training.schedule.final is 0, which an exponential decay never reaches; choose a value above 0 or "
      "another decay_shape");
  CHECK(refused("schedule: {kind: multi_step, milestones: [0.9, 0.8]}") ==
        "x.yaml:3:71: training.schedule.milestones do not ascend, so their order says nothing; sort them");
  CHECK(refused("tokens: 65536, keep_checkpoints: 99") ==
        "x.yaml:3:63: training.keep_checkpoints has 99 and the run ends after 64 steps, so that checkpoint would never "
        "be; choose at most 64");
}

}  // namespace
}  // namespace bitlaw
