#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/block/block_presets.h"
#include "simulators/train/trainer.h"
#include "tests/support/temporary_folder.h"

using namespace bitlaw;

namespace {

/// Twenty steps of a task on generated data with every slot in mxfp4 and stochastic rounding, the head too.
TrainConfig short_run(TaskKind task) {
  TrainConfig config;
  config.task = task;
  config.model.layers = 2;
  config.model.width = 32;
  config.regression.outputs = 8;
  config.classification.data = ClassificationConfig::Data::Gaussian;
  for (SlotSpec& slot : config.recipe.base.slots) {
    slot = {.block = block_preset("mxfp4"), .rounding = RoundingMode::StochasticExact};
  }
  RecipeRule head;
  head.products = ProductKind::Head;
  for (std::size_t s = 0; s < head.slots.size(); ++s) head.slots[s] = config.recipe.base.slots[s];
  if (task != TaskKind::Regression) config.recipe.rules = {head};
  config.batch = 16;
  config.tokens = 20 * config.batch;
  config.eval_tokens = 64;
  return config;
}

}  // namespace

TEST_CASE("evaluate: the held-out samples are the same for every batch size") {
  for (const TaskKind task : {TaskKind::Regression, TaskKind::Classification, TaskKind::Diffusion}) {
    CAPTURE(name_of(task, kTaskNames));
    TrainConfig config = short_run(task);
    config.recipe.rules.clear();
    config.eval_tokens = 200;
    for (SlotSpec& slot : config.recipe.base.slots) slot.rounding = RoundingMode::TiesToEven;  // of each row by itself
    const TaskData data = load_task_data(config);
    const auto trained = make_task(config, data);
    for (int step = 0; step < 5; ++step) {
      trained->forward(step);
      trained->backward(1);
      for (std::size_t i = 0; i < trained->parameters().values().size(); ++i) {
        trained->parameters().values()[i] -= 0.1F * trained->parameters().gradients()[i];
      }
    }
    const double loss = trained->evaluate(0).loss;
    for (const int batch : {1, 7, 200, 256}) {
      CAPTURE(batch);
      config.batch = batch;
      const auto other = make_task(config, data);
      std::ranges::copy(trained->parameters().values(), other->parameters().values().begin());
      CHECK(other->evaluate(0).loss == doctest::Approx(loss).epsilon(1e-6));  // sums in another order
    }
  }
}

TEST_CASE("train: every task stops at any step and continues to the same bits, in mxfp4 with random rounding") {
  for (const auto& row : kTaskNames) {
    const TaskKind task = row.value;
    if (task == TaskKind::LanguageModel) continue;  // trainer_test.cpp
    CAPTURE(row.name);
    const TrainConfig config = short_run(task);
    const TaskData data = load_task_data(config);
    const auto whole = train(config, data);
    REQUIRE(whole);
    CHECK(std::isfinite(whole->loss));
    CHECK(std::isnan(whole->error) == (task != TaskKind::Classification));
    CHECK(whole->tokens == 320);

    const TemporaryFolder folder;
    int steps = 0;
    const TrainOptions options{
        .identity = "run", .checkpoint = folder / "checkpoint", .on_progress = {}, .should_stop = [&] {
          return ++steps % 6 == 0;
        }};
    std::optional<RunRecord> pieces;
    while (!(pieces = train(config, data, options))) {
    }
    CHECK(pieces->state_hash == whole->state_hash);
    CHECK(pieces->loss == whole->loss);
    TrainConfig plain = config;
    plain.recipe = Recipe{};
    CHECK(train(plain, data)->state_hash != whole->state_hash);
  }
}
