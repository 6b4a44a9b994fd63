#include "experiments/launch/plan_file.h"

#include <doctest/doctest.h>

#include "tests/experiments/sweep/plan_text.h"

namespace bitlaw {
namespace {

std::string difference(std::string_view before, std::string_view after) {
  return changes_text(changes(saved_plan(plan_text(small(before))), saved_plan(plan_text(small(after)))));
}

TEST_CASE("plan file: what was launched is read back as it was written") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "plan.json";
  CHECK_FALSE(read_plan(file));
  const SavedPlan plan =
      saved_plan(plan_text(small("sweep: {grid: {precision: [float32, mxfp4], model.width: [16, 32]}}\n")));
  write_plan(file, plan);
  const auto read = read_plan(file);
  REQUIRE(read);
  CHECK(read->numerical_epoch == kNumericalEpoch);
  CHECK(read->common == plan.common);
  CHECK(read->differing == std::vector<std::string>{"model.width", "precision"});
  REQUIRE(read->runs.size() == 4);
  CHECK(read->runs[3].values == std::vector<std::string>{"32", "mxfp4"});
  CHECK(read->runs[3].id == plan.runs[3].id);
}

TEST_CASE("plan file: a damaged one is refused by name") {
  const TemporaryFolder folder;
  for (const char* text :
       {"", "{", "{}", R"({"numerical_epoch": 3, "common": {}, "differing": ["a"], "runs": [["x", []]]})"}) {
    const std::string file = folder.write("plan.json", text);
    CHECK(message_of([&] { read_plan(file); }) ==
          file + ": is damaged, so it is not known what was launched before; delete it, which loses nothing else");
  }
}

TEST_CASE("plan changes: nothing to say of the same runs, in whatever order") {
  CHECK(difference("sweep: {grid: {model.width: [16, 32]}}\n", "sweep: {grid: {model.width: [32, 16]}}\n").empty());
}

TEST_CASE("plan changes: an axis that grows keeps its runs") {
  CHECK(difference("sweep: {grid: {model.width: [16, 32]}}\n", "sweep: {grid: {model.width: [16, 32, 64]}}\n") ==
        "against the last launch: 2 runs kept, 1 new, 0 gone\n"
        "  model.width: 16, 32 -> 16, 32, 64\n");
}

TEST_CASE("plan changes: the key that changes every id is named") {
  CHECK(difference("sweep: {seeds: 2}\n", "title: other\nsweep: {seeds: 2}\nstatistics: {every: 5}\n") ==
        "against the last launch: 0 runs kept, 2 new, 2 gone\n"
        "  statistics.every: - -> 5\n");
}

TEST_CASE("plan changes: what a recipe does counts, its name does not") {
  CHECK(difference("precisions: {mine: {all: {format: e4m3, block: 32}}}\nprecision: mine\n",
                   "precisions: {mine: {all: {format: e4m3, block: 32}, weights: {block: 16}}}\nprecision: mine\n")
            .starts_with("against the last launch: 0 runs kept, 1 new, 1 gone\n  precision.dgrad.w: "));
  CHECK(difference("precisions: {mine: {all: mxfp4}}\nprecision: mine\n",
                   "precisions: {ours: {all: mxfp4}}\nprecision: ours\n")
            .empty());
}

TEST_CASE("plan changes: other combinations of the same values") {
  CHECK(difference("sweep: {zip: {model.width: [16, 32], training.batch: [2, 4]}}\n",
                   "sweep: {zip: {model.width: [16, 32], training.batch: [4, 2]}}\n") ==
        "against the last launch: 0 runs kept, 2 new, 2 gone\n"
        "  the same values in other combinations\n");
}

}  // namespace
}  // namespace bitlaw
