#include <algorithm>
#include <csignal>
#include <random>

#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

/// Runs with all that a checkpoint has to hold beside float32 weights: random bits of stochastic rounding, the mean of
/// the weights, learned scales, the state of Muon and of Stable-SPAM, the sizes of operands in earlier steps, weights
/// in few bits, a loss scale that grows.
const std::string kEveryState = R"(
experiment: kill_points
corpus: {kind: synthetic, vocabulary: 32, order: 1, length: 16384}
model: {layers: 1, width: 32, heads: 2, context: 16}
training:
  batch: 8
  tokens: 6144
  eval_tokens: 1024
  validate_every: 15
  keep_checkpoints: [25]
  optimizer: {learning_rate: 1e-2}
statistics: {every: 15}
precisions:
  guided: {all: mxfp4, weights: {guide: mean}}
  clip: {forward: {preset: int4_g32, statistic: clip_ratio, parameter: 0.8, gradient: clipped, learned: groups}}
  step: {forward: {preset: int4_g32, block: tensor, statistic: step, parameter: 0.1, gradient: clipped, learned: true}}
sweep:
  groups:
    - grid: {precision: [nvfp4_pretraining, clip, step, fp8_delayed]}
    - grid: {precision: [guided], training.optimizer.mean_decay: [0.99]}
    - grid: {precision: [fp4_all_the_way], training.optimizer.kind: [muon]}
    - grid:
        precision: [fp8]
        training.optimizer.kind: [stable_spam]
        training.optimizer.reset_every: [10]
        training.optimizer.weights_format: [bfloat16]
        training.optimizer.weights_round: [stochastic]
        training.loss_scale.initial: [1024]
        training.loss_scale.interval: [5]
)";
constexpr std::size_t kRuns = 7;
constexpr int kKills = 200;

std::vector<std::string> words(const std::string& out) {
  return {"run", "all.yaml", "--workers", "2", "--checkpoint-seconds", "0.005", "--out", out};
}

bool has_checkpoint(const std::filesystem::path& results) {
  if (!std::filesystem::exists(results / "runs")) return false;
  return std::ranges::any_of(std::filesystem::directory_iterator(results / "runs"),
                             [](const auto& run) { return std::filesystem::exists(run.path() / "checkpoint"); });
}

/// What became of a program that was to be killed after some time.
struct Kill {
  bool met = false;      ///< it was still running
  bool resumes = false;  ///< and leaves a checkpoint to go on from
};

Kill kill_after(double seconds, int signal, Program& bitlaw, const std::filesystem::path& results) {
  std::filesystem::remove_all(results);
  const pid_t child = bitlaw.start(words(results.filename().string()));
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  ::kill(child, signal);
  const int code = bitlaw.finish(child).exit_code;
  CHECK((code == 0 || code == 130 || code == 128 + signal));  // 128 + SIGTERM: before it asked for the signal
  return {.met = code != 0, .resumes = code != 0 && has_checkpoint(results)};
}

TEST_CASE("bitlaw run: killed at any of 200 moments and started again, every recipe's run ends with the same state") {
  Program bitlaw;
  bitlaw.folder().write("all.yaml", kEveryState);
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(bitlaw(words("whole")).exit_code == 0);
  const double duration = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const auto whole = results_in(bitlaw.folder().path() / "whole");
  REQUIRE(whole.size() == kRuns);

  const auto pieces = bitlaw.folder().path() / "pieces";
  std::mt19937 random(1);
  int met = 0, resumed = 0, equal = 0;
  while (met < kKills) {
    const double moment = duration * std::uniform_real_distribution<double>(0, 1)(random);
    CAPTURE(moment);
    const Kill kill = kill_after(moment, met % 2 == 0 ? SIGKILL : SIGTERM, bitlaw, pieces);
    if (!kill.met) continue;
    ++met;
    resumed += kill.resumes ? 1 : 0;
    CHECK(bitlaw(words("pieces")).exit_code == 0);
    equal += results_in(pieces) == whole ? 1 : 0;
    if (met % 10 == 0) {
      fmt::print("{} of {} kills, {} with a checkpoint to go on from: {} ended with the same states\n", met, kKills,
                 resumed, equal);
      std::fflush(stdout);
    }
  }
  CHECK(equal == kKills);
  CHECK(resumed >= kKills / 2);  // or the others would show nothing of checkpoints
}

}  // namespace
}  // namespace bitlaw
