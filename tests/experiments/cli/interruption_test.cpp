#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "core/record/sweep_file.h"
#include "tests/experiments/cli/program.h"
#include "tests/support/long_test.h"

namespace bitlaw {
namespace {

/// Two runs of a thousand steps: long enough on a fast machine to be met in the middle several times.
const std::vector<std::string> kLong{"run",
                                     kSmokeYaml,
                                     "--workers",
                                     "2",
                                     "--checkpoint-seconds",
                                     "0.02",
                                     "--set",
                                     "sweep.zip.model.width=[32]",
                                     "--set",
                                     "sweep.zip.model.layers=[2]",
                                     "--set",
                                     "sweep.grid.training.tokens=[131072]",
                                     "--set",
                                     "fits=[]",
                                     "--out"};

std::vector<std::string> long_run(const std::string& out) {
  std::vector<std::string> words = kLong;
  words.push_back(out);
  return words;
}

/// Paths of the checkpoints below `results`.
std::vector<std::filesystem::path> checkpoints(const std::filesystem::path& results) {
  std::vector<std::filesystem::path> found;
  if (!std::filesystem::exists(results / "runs")) return found;
  for (const auto& run : std::filesystem::directory_iterator(results / "runs")) {
    if (std::filesystem::exists(run.path() / "checkpoint")) found.push_back(run.path() / "checkpoint");
  }
  return found;
}

using Clock = std::filesystem::file_time_type::clock;

/// Waits until both runs have saved a checkpoint after `start`, so that a signal meets them in the middle.
bool both_saved_since(Clock::time_point start, const std::filesystem::path& results) {
  return wait_for([&] {
    const auto files = checkpoints(results);
    return files.size() == 2 && std::all_of(files.begin(), files.end(), [&](const auto& file) {
             std::error_code replaced;  // just now, by a newer one
             return std::filesystem::last_write_time(file, replaced) > start;
           });
  });
}

TEST_CASE("bitlaw run: killed with SIGKILL and started again, it ends with the same bits" * BITLAW_LONG_TEST) {
  Program bitlaw;
  REQUIRE(bitlaw(long_run("whole")).exit_code == 0);
  const auto pieces = bitlaw.folder().path() / "pieces";
  int kills = 0;
  for (; kills < 3; ++kills) {
    const auto before = Clock::now();
    const pid_t child = bitlaw.start(long_run("pieces"));
    CHECK(both_saved_since(before, pieces));
    ::kill(child, SIGKILL);
    CHECK(bitlaw.finish(child).exit_code == 128 + SIGKILL);
    CHECK(checkpoints(pieces).size() == 2);
  }
  CHECK(bitlaw(long_run("pieces")).exit_code == 0);
  const auto whole = bitlaw.folder().path() / "whole";
  CHECK(results_in(pieces) == results_in(whole));
  const SweepFile a = read_sweep_file(whole / "sweep.h5"), b = read_sweep_file(pieces / "sweep.h5");
  REQUIRE(a.runs.size() == 2);
  REQUIRE(b.runs.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(a.runs[i].loss == b.runs[i].loss);
    CHECK(a.runs[i].train_loss == b.runs[i].train_loss);
    CHECK(a.runs[i].state_hash == b.runs[i].state_hash);
  }
}

TEST_CASE("bitlaw run: SIGINT and SIGTERM save what was trained, say how to continue and exit with 130" *
          BITLAW_LONG_TEST) {
  Program bitlaw;
  for (const int signal : {SIGINT, SIGTERM}) {
    CAPTURE(signal);
    const auto start = Clock::now();
    const pid_t child = bitlaw.start(long_run("out"));
    CHECK(both_saved_since(start, bitlaw.folder().path() / "out"));
    ::kill(child, signal);
    const auto output = bitlaw.finish(child);
    CHECK(output.exit_code == 130);
    CHECK(output.out == "");
    const std::string last = "stopped; what was trained is saved. Continue with: " BITLAW_PROGRAM " run " + kSmokeYaml;
    CHECK(output.error.find(last) != std::string::npos);
    CHECK(checkpoints(bitlaw.folder().path() / "out").size() == 2);
  }
  CHECK(bitlaw(long_run("out")).exit_code == 0);
}

TEST_CASE("bitlaw run: stopped, it tells a command that a shell continues with" * BITLAW_LONG_TEST) {
  Program bitlaw;
  const std::string out = "it's mine; really";
  const auto start = Clock::now();
  const pid_t child = bitlaw.start(long_run(out));
  CHECK(both_saved_since(start, bitlaw.folder().path() / out));
  ::kill(child, SIGTERM);
  const std::string error = bitlaw.finish(child).error;
  const std::string before = "Continue with: ";
  const auto at = error.find(before);
  REQUIRE(at != std::string::npos);
  const std::string told = error.substr(at + before.size());
  const std::string quiet = "cd " + bitlaw.folder().path().string() + " && exec >/dev/null 2>&1; ";
  CHECK(std::system((quiet + told).c_str()) == 0);
  CHECK(results_in(bitlaw.folder().path() / out).size() == 2);
}

TEST_CASE("bitlaw run: stopped or with every run failed, --json still prints its document" * BITLAW_LONG_TEST) {
  Program bitlaw;
  std::vector<std::string> words = long_run("out");
  words.emplace_back("--json");
  const auto out = bitlaw.folder().path() / "out";
  const auto start = Clock::now();
  const pid_t child = bitlaw.start(words);
  CHECK(both_saved_since(start, out));
  ::kill(child, SIGTERM);
  const auto stopped = nlohmann::json::parse(bitlaw.finish(child).out);
  CHECK(stopped["stopped"] == true);
  CHECK(stopped["files"] == nullptr);
  CHECK(stopped["runs"].empty());
  write_file_atomically(out / "sweep.h5", "left by an earlier state");
  for (const auto& checkpoint : checkpoints(out)) {
    std::filesystem::remove(checkpoint.parent_path() / "layers.txt");
    std::filesystem::create_directories(checkpoint.parent_path() / "layers.txt" / "in the way");
  }
  const auto output = bitlaw(words);
  CHECK(output.exit_code == 1);
  const auto failed = nlohmann::json::parse(output.out);
  CHECK(failed["stopped"] == false);
  CHECK(failed["failed"] == 2);
  CHECK(failed["failures"].size() == 2);
  CHECK(failed["files"] == nullptr);
  CHECK(failed["runs"].empty());
}

TEST_CASE("bitlaw run: a damaged checkpoint is named and kept, and its run starts again with the same bits" *
          BITLAW_LONG_TEST) {
  Program bitlaw;
  const auto start = Clock::now();
  const pid_t child = bitlaw.start(long_run("out"));
  CHECK(both_saved_since(start, bitlaw.folder().path() / "out"));
  ::kill(child, SIGKILL);
  bitlaw.finish(child);
  const auto damaged = checkpoints(bitlaw.folder().path() / "out")[0];
  write_file_atomically(damaged, "x");
  const auto output = bitlaw(long_run("out"));
  CHECK(output.exit_code == 0);
  const std::string id = damaged.parent_path().filename().string();
  CHECK(output.error.find("out/runs/" + id +
                          "/checkpoint: this checkpoint is cut short, so the run cannot continue from it; delete the "
                          "file to start the run again. It is now checkpoint.damaged, and the run starts again\n") !=
        std::string::npos);
  CHECK(read_file(damaged.string() + ".damaged") == "x");
  CHECK(bitlaw(long_run("whole")).exit_code == 0);
  CHECK(results_in(bitlaw.folder().path() / "out") == results_in(bitlaw.folder().path() / "whole"));
}

}  // namespace
}  // namespace bitlaw
