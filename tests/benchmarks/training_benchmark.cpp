// Tokens/s and GFLOP/s of a training step, one thread, for models of 27 k to 10.6 M parameters and each precision;
// `cost` is the step's time over that of the same step in float32, both timed in turn. Times are of the processor,
// which other programs lengthen least; the first step, which touches its memory for the first time, is not among them.
// 16 sequences of 128 random tokens: speed does not depend on them. peers_training.py trains the same models in
// PyTorch.

#include <benchmark/benchmark.h>

#include <ctime>
#include <vector>

#include "core/block/block_presets.h"
#include "core/random/philox.h"
#include "simulators/model/transformer.h"
#include "simulators/optim/adamw.h"
#include "simulators/optim/optimizer.h"

namespace {

using namespace bitlaw;

constexpr int kVocabulary = 256, kSequences = 16, kContext = 128;

/// A model with its optimizer, ready to take steps on one batch.
class Stepper {
 public:
  Stepper(const ModelConfig& config, const Recipe& recipe)
      : model_(config, kVocabulary,
               LayerPlan(recipe, transformer_shapes(config, kVocabulary, kSequences * kContext), 1), 1),
        optimizer_({}, model_.parameters().layout(), 1) {
    for (auto* tokens : {&inputs_, &targets_}) {
      for (std::size_t i = 0; i < kSequences * kContext; ++i) {
        tokens->push_back(static_cast<std::uint16_t>(random_bits({.seed = 2}, i + 7 * targets_.size()) % kVocabulary));
      }
    }
  }

  double seconds_of_one_step() {
    const std::clock_t start = std::clock();
    model_.forward(inputs_, targets_, static_cast<std::uint32_t>(step_));
    model_.backward();
    optimizer_.update(model_.parameters(), 1e-3,
                      clip_factor(gradient_norm<float>(model_.parameters().gradients()), 1.0), step_++);
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  }

 private:
  Transformer<float> model_;
  Optimizer optimizer_;
  std::vector<std::uint16_t> inputs_, targets_;
  std::int64_t step_ = 0;
};

void training_step(benchmark::State& state, const char* preset, Rounding gradient_rounding, int gradient_rotation) {
  const ModelConfig config{.layers = static_cast<int>(state.range(0)),
                           .width = static_cast<int>(state.range(1)),
                           .heads = static_cast<int>(state.range(1)) / 32,
                           .kv_heads = static_cast<int>(state.range(1)) / 32,
                           .ffn = 0,
                           .context = kContext};
  Recipe recipe;
  if (*preset != '\0') {
    for (SlotSpec& slot : recipe.base.slots) slot.block = block_preset(preset);
    recipe[Slot::DgradG].rounding = recipe[Slot::WgradG].rounding = gradient_rounding;
    for (const Slot slot : {Slot::DgradG, Slot::DgradW, Slot::WgradG, Slot::WgradX}) {
      recipe[slot].rotate = gradient_rotation;
    }
  }
  Stepper stepper(config, recipe), plain(config, Recipe{});
  stepper.seconds_of_one_step();
  plain.seconds_of_one_step();
  double best = 1e9, best_plain = 1e9;
  for (auto _ : state) {
    best = std::min(best, stepper.seconds_of_one_step());
    best_plain = std::min(best_plain, plain.seconds_of_one_step());
  }
  const double tokens = kSequences * kContext;
  state.counters["N"] = static_cast<double>(parameter_count(config));
  state.counters["tokens/s"] = tokens / best;
  state.counters["GFLOP/s"] = 3 * forward_flops_per_token(config, kVocabulary) * tokens / best * 1e-9;
  state.counters["cost"] = best / best_plain;
}

void sizes(benchmark::internal::Benchmark* b) {
  b->Args({2, 32})->Args({4, 64})->Args({4, 128})->Args({6, 256})->Args({6, 384})->MinTime(4);
}

BENCHMARK_CAPTURE(training_step, float32, "", RoundingMode::TiesToEven, 0)->Apply(sizes);
BENCHMARK_CAPTURE(training_step, mxfp8, "mxfp8", RoundingMode::TiesToEven, 0)->Apply(sizes);
BENCHMARK_CAPTURE(training_step, mxfp4, "mxfp4", RoundingMode::TiesToEven, 0)->Apply(sizes);
BENCHMARK_CAPTURE(training_step, nvfp4, "nvfp4", RoundingMode::TiesToEven, 0)->Apply(sizes);
BENCHMARK_CAPTURE(training_step, int4, "int4_g32", RoundingMode::TiesToEven, 0)->Apply(sizes);
BENCHMARK_CAPTURE(training_step, nvfp4_stochastic_rotated_gradients, "nvfp4", RoundingMode::StochasticExact, 16)
    ->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
