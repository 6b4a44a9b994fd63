#include <filesystem>
#include <sstream>

#include "core/base/file.h"
#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

constexpr const char* kTwoSchedules =
    "experiment: x\n"
    "corpus: {kind: synthetic, vocabulary: 16, length: 8192}\n"
    "model: {layers: 1, width: 16, heads: 1, context: 16}\n"
    "training: {tokens: 6400, batch: 4, eval_tokens: 256, curve_every: 5, validate_every: 5}\n"  // 100 steps
    "sweep: {grid: {training.schedule.kind: [cosine, constant]}}\n";

TEST_CASE("bitlaw sweep curves: a file for each finished run, which bitlaw fit takes as a curve") {
  Program bitlaw;
  write_file_atomically(bitlaw.folder() / "x.yaml", kTwoSchedules);
  const auto early = bitlaw({"sweep", "curves", "x.yaml", "--to", "c"});
  CHECK(early.exit_code == 2);
  CHECK(early.error ==
        "experiment 'x' has no finished run, so there are no curves; train it first, bitlaw run x.yaml\n");
  CHECK(bitlaw({"run", "x.yaml"}).exit_code == 0);
  const auto output = bitlaw({"sweep", "curves", "x.yaml", "--to", "c"});
  CHECK(output.exit_code == 0);
  std::istringstream lines(output.out);
  std::vector<std::string> files;
  for (std::string file, label; lines >> file >> label;) files.push_back(file);
  REQUIRE(files.size() == 2);
  const std::string text = read_file(bitlaw.folder().path() / files[0]);
  CHECK(std::count(text.begin(), text.end(), '\n') == 101);
  const auto fit = bitlaw(
      {"fit", "annealing", files[0], files[1], "--map", "loss=validation_loss", "--set", "lambda=0.9", "--json"});
  CHECK(fit.exit_code == 0);
  CHECK(nlohmann::json::parse(fit.out)["metrics"]["train"]["n"] == 2 * 20);  // steps 0, 5, ..., 95
}

}  // namespace
}  // namespace bitlaw
