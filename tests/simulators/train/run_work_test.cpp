#include "simulators/train/run_work.h"

#include <doctest/doctest.h>

#include "core/block/block_presets.h"

namespace bitlaw {
namespace {

double of(const RunWork& work, WorkKind kind) { return work[static_cast<std::size_t>(kind)]; }

/// One product, 64 features to 1 number, 10 steps of 32 samples; 96 held-out samples are three steps' worth.
TrainConfig linear() {
  TrainConfig config;
  config.task = TaskKind::Regression;
  config.regression.kind = RegressionConfig::Kind::Gaussian;
  config.regression.outputs = 1;
  config.model.width = 64;
  config.batch = 32;
  config.tokens = 320;
  config.eval_tokens = 96;
  return config;
}

TEST_CASE("run work: a linear regression's, counted by hand") {
  const RunWork work = run_work(linear(), {});
  CHECK(of(work, WorkKind::Products) == 2.0 * 64 * 32 * (3 * 10 + 3));
  CHECK(of(work, WorkKind::Activations) == (64 + 1) * 32 * (2 * 10 + 3));
  CHECK(of(work, WorkKind::Weights) == 64 * 10);
  CHECK(of(work, WorkKind::Calls) == 2 * 10 + 3);
  CHECK(of(work, WorkKind::Rounded) + of(work, WorkKind::Stochastic) + of(work, WorkKind::Rotated) == 0);
}

TEST_CASE("run work: what each slot rounds and rotates, counted by hand") {
  TrainConfig config = linear();
  const SlotSpec rounded{.block = block_preset("mxfp4")};
  config.recipe.base[Slot::FwdX] = rounded;
  config.recipe.base[Slot::FwdW] = rounded;
  config.recipe.base[Slot::WgradG] = {.block = block_preset("mxfp4"), .rounding = RoundingMode::StochasticExact};
  config.recipe.base[Slot::WgradX] = {.block = block_preset("mxfp4"), .rotate = 32};
  config.recipe.base[Slot::WgradG].rotate = 32;
  const RunWork work = run_work(config, {});
  CHECK(of(work, WorkKind::Rounded) == (64 * 32 + 64) * (10 + 3) + 64 * 32 * 10);
  CHECK(of(work, WorkKind::Stochastic) == 32 * 10);
  CHECK(of(work, WorkKind::Rotated) == (32 + 64 * 32) * 10);
}

TEST_CASE("run work: a rule for the last fifth of training counts for that, and for the evaluation after it") {
  TrainConfig config = linear();
  RecipeRule rule;
  rule.from = 0.8;
  rule.slots[static_cast<std::size_t>(Slot::FwdX)] = SlotSpec{.block = block_preset("mxfp4")};
  config.recipe.rules.push_back(rule);
  CHECK(of(run_work(config, {}), WorkKind::Rounded) == 64 * 32 * (2 + 3));
}

}  // namespace
}  // namespace bitlaw
