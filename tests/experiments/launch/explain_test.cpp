#include "experiments/launch/explain.h"

#include <doctest/doctest.h>

#include "core/base/file.h"
#include "experiments/launch/run_store.h"
#include "tests/experiments/sweep/plan_text.h"
#include "tests/experiments/sweep/preset_examples.h"
#include "tests/support/temporary_folder.h"

using namespace bitlaw;

namespace {

Experiment planned(const TemporaryFolder& folder) {
  write_file_atomically(folder / "x.yaml",
                        "experiment: x\n"
                        "corpus: {kind: synthetic, vocabulary: 8, length: 4096}\n"
                        "model: {layers: 1, width: 32, heads: 1, context: 8, ffn: 48}\n"
                        "training: {tokens: 160, batch: 2, eval_tokens: 64}\n"  // 10 steps of 16 tokens
                        "precision:\n"
                        "  forward: mxfp8\n"
                        "  rules:\n"
                        "    - {layers: '*.qkv', until: 0.5, fwd.w: mxfp4}\n"
                        "    - {products: head, gradients: mxfp4}\n");
  return plan_experiment(folder / "x.yaml");
}

}  // namespace

// By hand from the file above: 16 tokens a step; qkv is 3 * 32 wide, gate_up 2 * 48; attention is per head, 8 tokens.
TEST_CASE("explain: every product with its shape, its steps and what its slots do") {
  const TemporaryFolder folder;
  const Experiment experiment = planned(folder);
  const std::string text = explain_text(experiment.runs[0]);
  const std::string table = text.substr(text.find('\n') + 1);
  CHECK(table ==
        "  layer                    products of   steps  fwd.x  fwd.w  dgrad.g  dgrad.w  wgrad.g  wgrad.x\n"
        "  block0.attention.qkv     16 x 32 x 96  0-4    A      B      -        -        -        -\n"
        "  block0.attention.qkv     16 x 32 x 96  5-9    A      A      -        -        -        -\n"
        "  block0.attention.out     16 x 32 x 32  0-9    A      A      -        -        -        -\n"
        "  block0.mlp.gate_up       16 x 32 x 96  0-9    A      A      -        -        -        -\n"
        "  block0.mlp.down          16 x 48 x 32  0-9    A      A      -        -        -        -\n"
        "  block0.attention.scores  8 x 32 x 8    0-9    -      -      -        -        -        -\n"
        "  block0.attention.mixing  8 x 8 x 32    0-9    -      -      -        -        -        -\n"
        "  head                     16 x 32 x 8   0-9    -      -      B        -        B        -\n"
        "  -  float32\n"
        "  A  e4m3 block=32 scale=e8m0 rule=ocp_floor round=nearest\n"
        "  B  e2m1 block=32 scale=e8m0 rule=ocp_floor round=nearest\n");
}

// The tables were read against the papers that recipe_presets.cpp names beside each recipe. To make the file again
// after a preset has changed on purpose, let this test fail and take its text.
TEST_CASE("explain: every preset resolves to the table that is kept for it") {
  std::string text;
  for (const std::string& name : preset_examples()) {
    const std::string table = explain_text(plan_text(preset_yaml(name)).runs[0]);
    text += name + "\n" + table.substr(table.find('\n') + 1) + "\n";
  }
  CHECK(text == read_file(BITLAW_SOURCE_DIR "/tests/golden/preset_tables.txt"));
}

TEST_CASE("run store: a run's folder tells what its layers do") {
  const TemporaryFolder folder;
  const Experiment experiment = planned(folder);
  RunStore(folder.path()).begin(experiment.runs[0]);
  CHECK(read_file(folder / ("runs/" + experiment.runs[0].id + "/layers.txt")) == explain_text(experiment.runs[0]));
}
