#include <doctest/doctest.h>

#include "tests/experiments/sweep/plan_text.h"

namespace bitlaw {
namespace {

std::vector<std::string> keys_of(const PlannedRun& run, std::string_view prefix) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : run.resolved()) {
    if (key.starts_with(prefix)) keys.push_back(key.substr(prefix.size()));
  }
  return keys;
}

using Keys = std::vector<std::string>;

TEST_CASE(
    "task: a run knows the keys of its own task only, and a language model is what it was before there were tasks") {
  const Experiment language = plan_text(kSmall);
  for (const char* group : {"task", "regression.", "classification.", "diffusion."}) {
    CHECK(keys_of(language.runs[0], group).empty());
  }
  CHECK(language.runs[0].id == plan_text(small("task: language_model\n")).runs[0].id);

  const Experiment gaussian = plan_text("experiment: t\ntask: regression\nregression: {kind: gaussian, noise: 1}\n");
  CHECK(keys_of(gaussian.runs[0], "regression.") == Keys{"kind", "noise", "outputs"});
  CHECK(keys_of(gaussian.runs[0], "model.") == Keys{"width"});
  CHECK(keys_of(gaussian.runs[0], "corpus.") == Keys{"fingerprint"});
  const Experiment classes = plan_text("experiment: t\ntask: classification\nclassification: {data: gaussian}\n");
  CHECK(keys_of(classes.runs[0], "classification.") ==
        Keys{"activation", "classes", "data", "net", "separation", "side"});
  CHECK(keys_of(classes.runs[0], "model.") == Keys{"layers", "width"});
  const Experiment points = plan_text("experiment: t\ntask: diffusion\n");
  CHECK(keys_of(points.runs[0], "diffusion.") == Keys{"activation", "density", "schedule", "times"});
  CHECK(keys_of(points.runs[0], "classification.").empty());
  const Experiment images = plan_text(
      "experiment: t\ntask: diffusion\ndiffusion.density: images\nclassification: {data: gaussian, side: 4}\n");
  CHECK(keys_of(images.runs[0], "classification.") == Keys{"classes", "data", "separation", "side"});
}

TEST_CASE("task: keys of another task, and of a net or corpus that is not chosen, leave the id alone") {
  const auto id = [](std::string_view task, std::string_view more) {
    return plan_text("experiment: t\n" + std::string(task) + std::string(more)).runs[0].id;
  };
  struct Case {
    std::string_view task, idle;
  };
  const std::string_view language = "corpus: {kind: synthetic, length: 4096}\ntraining: {eval_tokens: 256}\n";
  const std::string_view mlp = "task: classification\nclassification: {data: gaussian, net: mlp}\n";
  for (const Case& c :
       {Case{language, "regression: {beta: 2}\nclassification: {side: 16}\ndiffusion: {times: 50}\n"},
        {"task: regression\n",
         "model: {layers: 5, heads: 4, kv_heads: 2, ffn: 9, context: 8, rope_base: 7}\n"
         "corpus: {kind: synthetic, length: 99, seed: 4}\nclassification: {net: mlp}\ndiffusion: {density: "
         "two_moons}\n"},
        {"task: regression\nregression.kind: gaussian\n", "regression: {alpha: 3, beta: 3}\n"},
        {mlp, "model: {heads: 2, context: 8}\ncorpus.files: none\nclassification.train_files: none\n"},
        {"task: diffusion\n", "model: {heads: 2, ffn: 3}\nregression: {noise: 1}\nclassification: {classes: 3}\n"}}) {
    CAPTURE(c.task);
    CHECK(id(c.task, c.idle) == id(c.task, ""));
  }
  CHECK(id(mlp, "classification.separation: 2\n") != id(mlp, ""));
}

TEST_CASE("task: D counts samples where there are no sequences, and formulas know each model's size") {
  const auto planned = [](std::string_view task) {
    return planned_record(plan_text("experiment: t\n" + std::string(task) +
                                    "training: {batch: 8, eval_tokens: 8}\n"
                                    "sweep: {derive: {training.tokens: 2 * params}}\n")
                              .runs[0]);
  };
  const RunRecord regression = planned("task: regression\nregression: {outputs: 4}\nmodel: {width: 30}\n");
  CHECK(regression.params == 4 * 30);
  CHECK(regression.params_total == 4 * 30);
  CHECK(regression.tokens == 240);
  CHECK(regression.flops == 3 * 2.0 * 240 * 120);  // forward, dx, dW; a multiply-add counts 2

  const RunRecord net = planned(
      "task: classification\nclassification: {data: gaussian, side: 8, classes: 3}\nmodel: {layers: 2, width: 4}\n");
  CHECK(net.params == (9 * 4 + 4) + (9 * 4 * 8 + 8));
  CHECK(net.params_total == net.params + 2 * 2 * 8 * 3 + 3);
  CHECK(net.tokens == 672);
  CHECK(net.flops == 3 * 2.0 * 672 * (64 * 9 * 4 + 16 * 9 * 4 * 8 + 2 * 2 * 8 * 3));

  const RunRecord mlp = planned(
      "task: classification\nclassification: {data: gaussian, side: 4, classes: 3, net: mlp}\n"
      "model: {layers: 1, width: 4}\n");
  CHECK(mlp.params == 16 * 4 + 4);
  CHECK(mlp.tokens == 136);
  const RunRecord points = planned("task: diffusion\nmodel: {layers: 2, width: 8}\n");
  CHECK(points.params == (32 * 8 + 8) + (8 * 8 + 8));
  CHECK(points.params_total == points.params + 8 * 2 + 2);
  const RunRecord pictures = planned(
      "task: diffusion\nmodel: {layers: 1, width: 8}\ndiffusion.density: images\n"
      "classification: {data: gaussian, side: 4}\n");
  CHECK(pictures.params == (16 + 30) * 8 + 8);
  CHECK(pictures.params_total == pictures.params + 8 * 16 + 16);
}

TEST_CASE("task: what no model or data could be is refused with place and remedy") {
  const auto check = [](std::string_view text, std::string_view message) {
    CHECK(refusal("experiment: t\n" + std::string(text)) == message);
  };
  check("task: regresion\n", "x.yaml:2:7: task is 'regresion', which is not known; did you mean 'regression'?");
  check("task: classification\nclassification: {data: gaussian, side: 8}\nmodel: {layers: 4}\n",
        "x.yaml:4:17: model.layers 4 is more than the 3 times that images of 8 x 8 can be halved, so nothing would be "
        "left of them; choose at most 3");
  check("task: classification\nclassification: {data: gaussian, side: 6}\n",
        "x.yaml:3:24: classification.side 6 is not a power of two, so there are no Walsh patterns of that size; choose "
        "4, 8, 16 or the like");
  check("task: classification\nclassification: {data: gaussian, side: 2, classes: 4}\n",
        "x.yaml:3:24: classification.classes 4 of images of 2 x 2 pixels leave too few patterns; choose fewer than 4 "
        "classes or larger images");
  check("task: classification\nclassification: {train_files: [a, b], test_files: [c, d]}\n",
        "x.yaml:3:31: a: No such file or directory, so there is no data to train on; check the path");
}

}  // namespace
}  // namespace bitlaw
