#include <filesystem>
#include <regex>
#include <sstream>

#include "core/base/file.h"
#include "core/record/sweep_file.h"
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
        "x.yaml: has no finished run of experiment 'x', so there are no curves; train it first with bitlaw run\n");
  CHECK(bitlaw({"run", "x.yaml"}).exit_code == 0);
  const auto output = bitlaw({"sweep", "curves", "x.yaml", "--to", "c"});
  CHECK(output.exit_code == 0);
  std::istringstream lines(output.out);
  std::vector<std::string> files;
  for (std::string line; std::getline(lines, line);) files.push_back(line.substr(0, line.find("  ")));
  REQUIRE(files.size() == 2);
  const std::string text = read_file(bitlaw.folder().path() / files[0]);
  CHECK(std::count(text.begin(), text.end(), '\n') == 101);
  const auto fit = bitlaw(
      {"fit", "annealing", files[0], files[1], "--map", "loss=validation_loss", "--set", "lambda=0.9", "--json"});
  CHECK(fit.exit_code == 0);
  CHECK(nlohmann::json::parse(fit.out)["metrics"]["train"]["n"] == 2 * 20);  // steps 0, 5, ..., 95
}

TEST_CASE("bitlaw sweep curves: of a sweep file alone, the same tables as of the runs' folder, and the same labels") {
  Program bitlaw;
  write_file_atomically(bitlaw.folder() / "x.yaml", kTwoSchedules);
  REQUIRE(bitlaw({"run", "x.yaml"}).exit_code == 0);
  const auto of_folder = bitlaw({"sweep", "curves", "x.yaml", "--to", "a"});
  CHECK(of_folder.out.find("  final=0.1, kind=cosine\n") != std::string::npos);  // a constant rate has no final one
  CHECK(of_folder.out.find("  kind=constant\n") != std::string::npos);
  std::filesystem::rename(bitlaw.folder() / "results/x/sweep.h5", bitlaw.folder() / "alone.h5");
  std::filesystem::remove_all(bitlaw.folder() / "results");
  const auto of_file = bitlaw({"sweep", "curves", "alone.h5", "--to", "b"});
  CHECK(of_file.error == "");
  REQUIRE(of_file.exit_code == 0);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(bitlaw.folder() / "a")) {
    ++files;
    CHECK(read_file(entry.path()) == read_file(bitlaw.folder().path() / "b" / entry.path().filename()));
  }
  CHECK(files == 2);
  CHECK(std::regex_replace(of_file.out, std::regex("(^|\n)b/"), "$1a/") == of_folder.out);
}

TEST_CASE("bitlaw sweep curves: a curve replaces no file that is read, nor another curve") {
  Program bitlaw;
  const auto in = [&](const char* name) { return bitlaw.folder().path() / name; };
  SweepFile sweep;
  sweep.experiment = "x";
  sweep.runs.resize(2);
  sweep.runs[0].run_id = "0123456789";
  sweep.runs[1].run_id = "abcdefghij";
  write_sweep_file(in("sweep.h5"), sweep);
  std::filesystem::create_directory(in("c"));
  std::filesystem::create_symlink("../sweep.h5", in("c") / "abcdefgh.csv");
  const std::string before = read_file(in("sweep.h5"));
  const auto output = bitlaw({"sweep", "curves", "sweep.h5", "--to", "c"});
  CHECK(output.exit_code == 2);
  CHECK(output.error == "--to c: is the input sweep.h5, so what it holds would be lost; choose another file\n");
  CHECK(read_file(in("sweep.h5")) == before);
  CHECK_FALSE(std::filesystem::exists(in("c") / "01234567.csv"));
  std::filesystem::remove(in("c") / "abcdefgh.csv");
  sweep.runs[1].run_id = "01234567zz";
  write_sweep_file(in("sweep.h5"), sweep);
  CHECK(bitlaw({"sweep", "curves", "sweep.h5", "--to", "c"}).error ==
        "--to c: is what --to writes, so one of them would be lost; choose another file\n");
}

}  // namespace
}  // namespace bitlaw
