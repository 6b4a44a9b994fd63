#include <doctest/doctest.h>

#include <array>

#include "tests/experiments/sweep/plan_text.h"

namespace bitlaw {
namespace {

std::vector<std::string> labels(const Experiment& experiment) {
  std::vector<std::string> labels;
  for (const PlannedRun& run : experiment.runs) labels.push_back(run.label);
  return labels;
}

TEST_CASE("sweep: groups follow each other, each with its own axes and rules, under the rules of the whole") {
  CHECK(
      labels(plan_text(small(
          "sweep:\n"
          "  groups:\n"
          "    - {grid: {model.width: [16, 32]}}\n"
          "    - {grid: {model.width: [64], precision: [mxfp8, mxfp4]}, derive: {training.tokens: 64 * model_width}}\n"
          "  exclude: \"precision == 'mxfp8'\"\n"))) ==
      std::vector<std::string>{"width=16, precision=float32, tokens=1024", "width=32, precision=float32, tokens=1024",
                               "width=64, precision=mxfp4, tokens=4096"});
}

TEST_CASE("sweep: a key that only later runs are given differs if it does between any two") {
  // model.ffn of the first run is 48 by default (8/3 width, rounded up to 16s), of the second 96; then it is given.
  const Experiment given =
      plan_text(small("sweep:\n"
                      "  groups:\n"
                      "    - {grid: {model.width: [16, 32]}}\n"
                      "    - {grid: {model.width: [64], model.ffn: [48]}}\n"));
  CHECK(given.differing == std::vector<std::string>{"model.ffn", "model.width"});
  CHECK(labels(given) == std::vector<std::string>{"ffn=48, width=16", "ffn=96, width=32", "ffn=48, width=64"});
  CHECK(given.runs[1].values == std::vector<std::string>{"96", "32"});
}

TEST_CASE("sweep: a value under a condition replaces the file's, and formulas see it") {
  const Experiment experiment = plan_text(
      small("sweep:\n"
            "  grid: {model.width: [16, 32, 64]}\n"
            "  when:\n"
            "    - {if: model_width > 16, training.batch: 8}\n"
            "    - {if: training_batch == 8 and model_width > 32, training: {optimizer: {learning_rate: 1e-4}}}\n"
            "  derive: {training.tokens: 256 * training_batch}\n"));
  const auto row = [&](std::size_t i) {
    const TrainConfig config = experiment.runs[i].config();
    return std::tuple(config.batch, config.optimizer.learning_rate, config.tokens);
  };
  CHECK(row(0) == std::tuple(4, 3e-3, 1024));
  CHECK(row(1) == std::tuple(8, 3e-3, 2048));
  CHECK(row(2) == std::tuple(8, 1e-4, 2048));
}

TEST_CASE("sweep: what include and exclude leave out need not be possible") {
  // Heads of width 8 / 3 cannot be; a run of theirs would be refused.
  const Experiment experiment =
      plan_text(small("sweep:\n"
                      "  grid: {model.width: [8, 24], model.heads: [2, 3]}\n"
                      "  exclude: [model_width == 8 and model_heads == 3]\n"));
  CHECK(labels(experiment) == std::vector<std::string>{"heads=2, width=8", "heads=2, width=24", "heads=3, width=24"});
  CHECK(experiment.left_out == 1);
}

TEST_CASE("sweep: conditions and groups that mean nothing are refused, with place and remedy") {
  const std::array<std::array<std::string, 2>, 11> cases{{
      {"sweep: {grid: {precision: [mxfp8]}, exclude: [precision == mxfp8]}\n",
       "x.yaml:5:47: formula 'precision == mxfp8' for sweep.exclude cannot be evaluated (precision is a word); compare "
       "it by == or != with a word in quotes: '...'"},
      {"sweep: {exclude: [\"precision == 'mxpf8'\"]}\n",
       "x.yaml:5:19: unknown precision 'mxpf8', neither built in nor under 'precisions', so nothing says how to round; "
       "did "
       "you mean 'mxfp8'?"},
      {"sweep: {exclude: [\"training_schedule_kind == 'cosin'\"]}\n",
       "x.yaml:5:19: training.schedule.kind is 'cosin', which is not known; did you mean 'cosine'?"},
      {"sweep: {exclude: [\"model_width == '32'\"]}\n",
       "x.yaml:5:19: formula 'model_width == '32'' for sweep.exclude cannot be evaluated ('model_width' is no key "
       "whose "
       "value is a word); compare numbers without quotes"},
      {"sweep: {exclude: [\"precision < 'mxfp8'\"]}\n",
       "x.yaml:5:19: formula 'precision < 'mxfp8'' for sweep.exclude cannot be evaluated ('mxfp8' stands alone); "
       "compare "
       "a key with it by == or !="},
      {"sweep: {exclude: [\"precision == 'mxfp8\"]}\n",
       "x.yaml:5:19: formula 'precision == 'mxfp8' for sweep.exclude cannot be evaluated (a quote is not closed); "
       "write "
       "the word between two '"},
      {"sweep: {include: [0 / 0]}\n",
       "x.yaml:5:19: formula '0 / 0' for sweep.include cannot be evaluated (it is not a number for one of the runs); "
       "write a condition that holds or does not"},
      {"sweep: {when: [{training.batch: 8}]}\n",
       "x.yaml:5:16: this case of sweep.when has no 'if', so it would always hold; add if: with a condition, or write "
       "its values into the file itself"},
      {"sweep: {grid: {training.batch: [2, 4]}, when: [{if: model_width > 1, training.batch: 8}]}\n",
       "x.yaml:5:86: training.batch is given a second value here (the first: x.yaml:5:33), so one of the two would be "
       "ignored; keep one"},
      {"sweep: {groups: []}\n",
       "x.yaml:5:17: 'groups' of sweep 'tiny' is empty, so the sweep would run nothing; give at least one entry or "
       "delete it"},
      {"sweep: {include: model_width > 32}\n",
       "x.yaml:5:1: include and exclude leave none of the 1 points of sweep 'tiny', so it would run nothing; loosen a "
       "condition"},
  }};
  for (const auto& [text, message] : cases) CHECK(refusal(small(text)) == message);
}

TEST_CASE("sweep: a product of 10^9 runs is refused at its axis") {
  const std::string axis = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
  std::string grid;
  for (const char* key : {"batch", "tokens", "curve_every", "eval_tokens", "validate_every", "schedule.cycles",
                          "optimizer.reset_every", "optimizer.momentum", "loss_scale.interval"}) {
    grid += fmt::format("training.{}: {}, ", key, axis);
  }
  CHECK(refusal(small("sweep: {grid: {" + grid + "}}\n")).find("the sweep has more than 1000000 runs") !=
        std::string::npos);
}

}  // namespace
}  // namespace bitlaw
