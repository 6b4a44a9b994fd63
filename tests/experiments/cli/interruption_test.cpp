#include <algorithm>
#include <csignal>

#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

/// Two runs of some hundred steps.
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
                                     "sweep.grid.training.tokens=[32768]",
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

TEST_CASE("bitlaw run: killed with SIGKILL and started again, it ends with the same bits") {
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
  CHECK(results_in(pieces) == results_in(bitlaw.folder().path() / "whole"));
}

TEST_CASE("bitlaw run: SIGINT and SIGTERM save what was trained, say how to continue and exit with 130") {
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
    const std::string last = "stopped; what was trained is saved. Continue with: bitlaw run " + kSmokeYaml;
    CHECK(output.error.find(last) != std::string::npos);
    CHECK(checkpoints(bitlaw.folder().path() / "out").size() == 2);
  }
  CHECK(bitlaw(long_run("out")).exit_code == 0);
}

TEST_CASE("bitlaw run: a damaged checkpoint fails its run only, is named, and can be deleted") {
  Program bitlaw;
  const auto start = Clock::now();
  const pid_t child = bitlaw.start(long_run("out"));
  CHECK(both_saved_since(start, bitlaw.folder().path() / "out"));
  ::kill(child, SIGKILL);
  bitlaw.finish(child);
  const auto damaged = checkpoints(bitlaw.folder().path() / "out")[0];
  write_file_atomically(damaged, "x");
  const auto output = bitlaw(long_run("out"));
  CHECK(output.exit_code == 1);
  const std::string id = damaged.parent_path().filename().string();
  CHECK(output.error.find("1 of 2 runs failed; the same command tries them again:\n  " + id.substr(0, 8)) !=
        std::string::npos);
  CHECK(output.error.find("out/runs/" + id +
                          "/checkpoint: this checkpoint is cut short, so the run cannot continue from it; delete the "
                          "file to start the run again\n") != std::string::npos);
  std::filesystem::remove(damaged);
  CHECK(bitlaw(long_run("out")).exit_code == 0);
}

TEST_CASE("bitlaw run: two in one folder do not collide") {
  Program bitlaw, other;
  const std::string out = bitlaw.folder() / "out";
  const pid_t child = bitlaw.start(long_run(out));
  CHECK(wait_for([&] { return !checkpoints(out).empty(); }));
  const auto refused = other(long_run(out));
  CHECK(refused.exit_code == 2);
  CHECK(refused.error == out +
                             ": another bitlaw run is working in this folder, so both would train the same runs; wait "
                             "until it ends or choose another folder with --out\n");
  CHECK(bitlaw.finish(child).exit_code == 0);
}

}  // namespace
}  // namespace bitlaw
