#include <algorithm>

#include "core/base/file.h"
#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;

constexpr const char* kGrid =
    "experiment: x\n"
    "corpus: {kind: synthetic, vocabulary: 16, length: 8192}\n"
    "model: {layers: 1, width: 16, heads: 1, context: 16}\n"
    "training: {batch: 4, eval_tokens: 256}\n"
    "sweep: {grid: {model.width: [8, 16, 24], training.tokens: [640, 1280, 2560]}}\n"
    "fits: [{law: chinchilla, bootstrap: 0}]\n";

std::size_t finished(const Program& bitlaw) { return results_in(bitlaw.folder().path() / "results" / "x").size(); }

TEST_CASE("bitlaw next: the file that it writes trains what was chosen, and then other runs are next") {
  Program bitlaw;
  write_file_atomically(bitlaw.folder() / "x.yaml", kGrid);
  const auto first = bitlaw({"next", "x.yaml", "--budget", "5e7", "--at", "N=1e5,D=1e4", "--yaml", "next.yaml"});
  CHECK(first.exit_code == 0);
  CHECK(first.out.find("train them: bitlaw run next.yaml\n") != std::string::npos);
  const json before = json::parse(bitlaw({"next", "x.yaml", "--budget", "5e7", "--at", "N=1e5,D=1e4", "--json"}).out);
  CHECK(before["criterion"] == "I");
  CHECK(before["cost"] <= 5e7);
  CHECK(before["standard_errors"][0]["after"] < before["standard_errors"][0]["now"]);
  const std::size_t chosen = before["next"].size();
  REQUIRE(chosen > 0);
  REQUIRE(chosen < 9);
  CHECK(bitlaw({"run", "next.yaml"}).exit_code == 0);
  CHECK(finished(bitlaw) == chosen);
  const json after = json::parse(bitlaw({"next", "x.yaml", "--budget", "1e12", "--json"}).out);
  CHECK(after["done"] == chosen);
  CHECK(after["next"].size() == 9 - chosen);
  CHECK(after["criterion"] == "D");
}

TEST_CASE("bitlaw run --adaptive: spends the budget in rounds and no more; its flags mean nothing without") {
  Program bitlaw;
  write_file_atomically(bitlaw.folder() / "x.yaml", kGrid);
  const auto output =
      bitlaw({"run", "x.yaml", "--adaptive", "--budget", "5e7", "--rounds", "2", "--at", "N=1e5,D=1e4"});
  CHECK(output.exit_code == 0);
  CHECK(output.error.find("round 1 of 2: ") != std::string::npos);
  CHECK(output.error.find("round 2 of 2: ") != std::string::npos);
  const std::size_t trained = finished(bitlaw);
  CHECK(trained > 1);
  CHECK(trained < 9);
  CHECK(bitlaw({"run", "x.yaml", "--adaptive", "--budget", "5e7", "--rounds", "2", "--at", "N=1e5,D=1e4"}).exit_code ==
        0);
  CHECK(finished(bitlaw) == trained);
  CHECK(bitlaw({"run", "x.yaml", "--budget", "5e7"}).exit_code == 2);
  const auto without = bitlaw({"next", "x.yaml"});
  CHECK(without.exit_code == 2);
  CHECK(without.error ==
        "no budget is given, or two are, so no runs can be chosen; give --budget in FLOPs or --seconds\n");
}

TEST_CASE("bitlaw next: a budget that buys no run says so, and what the cheapest costs") {
  Program bitlaw;
  write_file_atomically(bitlaw.folder() / "x.yaml", kGrid);
  double cheapest = 1e300;
  const json plan = json::parse(bitlaw({"sweep", "plan", "x.yaml", "--json"}).out);
  for (const json& run : plan["runs"]) {
    cheapest = std::min(cheapest, run["flops"].get<double>());
  }
  const auto output = bitlaw({"next", "x.yaml", "--budget", "1"});
  CHECK(output.exit_code == 0);
  CHECK(output.out.ends_with(fmt::format(
      "\na budget of 1 FLOPs buys no run: the cheapest of 9 without a result costs {:.3g} FLOPs\n", cheapest)));
  CHECK(output.out.find("Next runs") == std::string::npos);
  const json document = json::parse(bitlaw({"next", "x.yaml", "--budget", "1", "--json"}).out);
  CHECK(document["cheapest"] == cheapest);
  REQUIRE(bitlaw({"run", "x.yaml"}).exit_code == 0);
  CHECK(bitlaw({"next", "x.yaml", "--budget", "1"})
            .out.ends_with("\nall runs of the fit have a result, so there is none to choose\n"));
  CHECK(json::parse(bitlaw({"next", "x.yaml", "--budget", "1", "--json"}).out)["cheapest"].is_null());
}

}  // namespace
}  // namespace bitlaw
