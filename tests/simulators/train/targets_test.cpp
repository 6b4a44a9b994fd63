#include <doctest/doctest.h>

#include <vector>

#include "core/block/block_presets.h"
#include "simulators/train/trainer.h"
#include "tests/support/each_target.h"
#include "tests/support/long_test.h"

using namespace bitlaw;

namespace {

/// Six steps with every slot rounded stochastically and the products for gradients of weights rotated.
TrainConfig six_steps(TaskKind task) {
  TrainConfig config;
  config.task = task;
  config.model = {.layers = 2, .width = 32, .heads = 2, .kv_heads = 1, .ffn = 48, .context = 16};
  config.corpus = {.kind = CorpusSpec::Kind::Synthetic, .files = {}, .vocabulary = 16, .length = 1 << 12};
  config.regression.outputs = 8;
  config.classification.data = ClassificationConfig::Data::Gaussian;
  for (SlotSpec& slot : config.recipe.base.slots) {
    slot = {.block = block_preset("nvfp4"), .rounding = RoundingMode::StochasticExact};
  }
  config.recipe[Slot::WgradG].rotate = config.recipe[Slot::WgradX].rotate = 16;
  config.batch = 16;
  config.tokens = 6 * config.tokens_per_step();
  config.eval_tokens = 64;
  return config;
}

}  // namespace

TEST_CASE("train: every task has the same bits with each instruction set, AVX2 and AVX-512 among them" *
          BITLAW_LONG_TEST) {
  for (const auto& task : kTaskNames) {
    CAPTURE(task.name);
    const TrainConfig config = six_steps(task.value);
    const TaskData data = load_task_data(config);
    std::vector<RunRecord> records;
    for_each_target([&](const char* target) {
      CAPTURE(target);
      records.push_back(*train(config, data));
      CHECK(records.back().state_hash == records.front().state_hash);
      CHECK(records.back().loss == records.front().loss);
      CHECK(records.back().curve.back().gradient_norm == records.front().curve.back().gradient_norm);
    });
    CHECK(records.size() >= 2);  // any x86-64 offers its baseline and one set more
  }
}
