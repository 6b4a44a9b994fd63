#include "experiments/launch/plan_table.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/experiments/sweep/plan_text.h"

namespace bitlaw {
namespace {

constexpr const char* kSweep =
    "sweep:\n"
    "  grid: {model.width: [16, 32], precision: [float32, 'my \"own\"'], training.tokens: [512, 1024]}\n"
    "precisions: {'my \"own\"': {all: mxfp4}}\n";

TEST_CASE("plan: as JSON every run has its values, numbers as numbers and words as words") {
  const TemporaryFolder folder;
  const Experiment experiment = plan_text(small(kSweep));
  const auto plan = nlohmann::json::parse(plan_json(experiment, RunStore(folder.path())));
  REQUIRE(plan["runs"].size() == 8);
  for (std::size_t i = 0; i < 8; ++i) {  // the last axis varies fastest
    const auto& run = plan["runs"][i];
    CHECK(run["id"] == experiment.runs[i].id);
    CHECK(run["values"] == nlohmann::json{{"model.width", i < 4 ? 16 : 32},
                                          {"precision", i / 2 % 2 == 0 ? "float32" : "my \"own\""},
                                          {"training.tokens", i % 2 == 0 ? 512 : 1024}});
    CHECK(run["label"] == experiment.runs[i].label);
    CHECK(run["tokens"] == (i % 2 == 0 ? 512 : 1024));
    CHECK(run["params"] == experiment.runs[i].counts.params);
    CHECK(run["flops"] == experiment.runs[i].counts.training_flops);
    CHECK(run["seconds"].is_number());
    CHECK(run["state"] == "new");
    CHECK_FALSE(run.contains("peak_memory"));
  }
  CHECK(plan["totals"]["new"] == 8);
  CHECK(plan["common"]["training.batch"] == 4);
  CHECK(plan["changes"] == nullptr);
}

TEST_CASE("plan: a value that means nothing in a run is null") {
  const TemporaryFolder folder;
  const auto plan = nlohmann::json::parse(
      plan_json(plan_text(small("sweep: {list: [{training.optimizer.kind: sgd, training.optimizer.momentum: 0.5}, "
                                "{training.optimizer.kind: adamw}]}\n")),
                RunStore(folder.path())));
  CHECK(plan["runs"][0]["values"]["training.optimizer.momentum"] == 0.5);
  CHECK(plan["runs"][1]["values"]["training.optimizer.momentum"] == nullptr);
}

TEST_CASE("plan: defaults that follow a key that differs are no values that all runs have") {
  const TemporaryFolder folder;
  const Experiment experiment = plan_text(
      small("sweep: {grid: {model.width: [16, 32], training.optimizer.kind: [adamw, sgd], precision: [float32, mxfp4]},"
            " seeds: 2}\n"),
      {"training.eval_tokens=32"});
  const auto common = nlohmann::json::parse(plan_json(experiment, RunStore(folder.path())))["common"]
                          .get<std::map<std::string, nlohmann::json>>();
  for (const char* key : {"model.ffn", "training.optimizer.beta2", "training.seed", "model.width"}) {
    CAPTURE(key);
    CHECK_FALSE(common.contains(key));
  }
  CHECK(common.at("training.batch") == 4);
  const std::string text = provenance_text(experiment);
  const auto first_run = text.find("\nRun 1 ");
  const auto has_line = [](const std::string& part, const std::string& start) {
    return part.find("\n  " + start) != std::string::npos;
  };
  const std::string all = text.substr(0, first_run), runs = text.substr(first_run);
  CHECK(has_line(all, "training.eval_tokens "));
  CHECK(all.find("--set training.eval_tokens=32\n") != std::string::npos);
  CHECK_FALSE(has_line(all, "model.ffn"));
  CHECK_FALSE(has_line(all, "precision.fwd.w"));
  CHECK(has_line(runs, "model.ffn"));
  CHECK(has_line(runs, "precision.fwd.w"));
  // 8/3 of the width, rounded up to a multiple of 16.
  for (const char* ffn : {" 48 ", " 96 "}) CHECK(runs.find(ffn) != std::string::npos);
}

TEST_CASE("plan: with the peak memory of each run, which is tried once for runs that need the same") {
  const TemporaryFolder folder;
  const RunStore store(folder.path());
  const Experiment experiment = plan_text(small(kSweep));
  std::vector<std::size_t> tried;
  const PeakMemory memory = peak_memory(experiment, [&](const PlannedRun& run) -> std::optional<std::int64_t> {
    tried.push_back(run.point);
    if (run.point == 6) return std::nullopt;  // as where there is not enough
    return 1'000'000 * static_cast<std::int64_t>(run.point + 1);
  });
  CHECK(tried == std::vector<std::size_t>{0, 2, 4, 6});  // widths and recipes
  const auto plan = nlohmann::json::parse(plan_json(experiment, store, &memory));
  const std::vector<std::int64_t> expected{1, 1, 3, 3, 5, 5};
  for (std::size_t i = 0; i < 6; ++i) CHECK(plan["runs"][i]["peak_memory"] == 1'000'000 * expected[i]);
  CHECK(plan["runs"][7]["peak_memory"] == nullptr);
  const std::string table = plan_table(experiment, store, &memory);
  CHECK(table.find("memory") != std::string::npos);
  CHECK(table.find("3.0 MB") != std::string::npos);
  CHECK(plan_table(experiment, store).find("memory") == std::string::npos);
}

}  // namespace
}  // namespace bitlaw
