#include <array>
#include <csignal>

#include "core/record/sweep_file.h"
#include "tests/experiments/cli/program.h"
#include "tests/support/long_test.h"

namespace bitlaw {
namespace {

/// Eight runs of some hundred steps: enough for several processes to meet.
std::vector<std::string> words(const std::string& verb, const std::string& out, std::vector<std::string> more = {},
                               const std::string& tokens = "16384, 32768") {
  std::vector<std::string> all =
      verb == "run" ? std::vector<std::string>{"run"} : std::vector<std::string>{"sweep", verb};
  all.insert(all.end(), {kSmokeYaml, "--out", out, "--set", "sweep.zip.model.width=[16, 24]", "--set",
                         "sweep.zip.model.layers=[1, 2]", "--set", "sweep.grid.training.tokens=[" + tokens + "]",
                         "--set", "fits=[]"});
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::size_t results(const std::filesystem::path& out) {
  std::size_t count = 0;
  if (!std::filesystem::exists(out / "runs")) return 0;
  for (const auto& run : std::filesystem::directory_iterator(out / "runs")) {
    count += std::filesystem::exists(run.path() / "result.json") ? 1 : 0;
  }
  return count;
}

std::vector<std::string> files_named(const std::filesystem::path& out, const std::string& part) {
  std::vector<std::string> found;
  if (!std::filesystem::exists(out)) return found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(out)) {
    if (entry.path().filename().string().find(part) != std::string::npos) found.push_back(entry.path().string());
  }
  return found;
}

/// Of "4 runs trained here, 0 failed, 0 left to other processes".
std::size_t trained_here(const std::string& out) { return std::stoul(out); }

TEST_CASE("bitlaw sweep work: several at once train each run once, with the bits of bitlaw run" * BITLAW_LONG_TEST) {
  std::array<Program, 3> programs;
  const auto out = programs[0].folder().path() / "shared", alone = programs[0].folder().path() / "alone";
  std::vector<pid_t> children;
  for (Program& program : programs) children.push_back(program.start(words("work", out, {"--workers", "2", "--wait"})));
  std::size_t trained = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto output = programs[i].finish(children[i]);
    CHECK(output.exit_code == 0);
    trained += trained_here(output.out);
  }
  CHECK(trained == 8);
  CHECK(files_named(out, "claim").empty());
  CHECK(programs[0](words("run", alone)).exit_code == 0);
  CHECK(results_in(out) == results_in(alone));
  const auto report = nlohmann::json::parse(programs[1](words("run", out, {"--json"})).out);
  CHECK(report["trained"] == 0);
  CHECK(report["runs"].size() == 8);
}

TEST_CASE("bitlaw sweep work: killed with SIGKILL at any moment, others finish its runs, each once" *
          BITLAW_LONG_TEST) {
  Program first, rest, alone;
  const auto out = first.folder().path() / "shared";
  std::size_t killed = 0;
  for (int round = 0; round < 4 && results(out) < 6; ++round) {
    const std::size_t before = results(out);
    const pid_t child = first.start(words("work", out, {"--workers", "2", "--checkpoint-seconds", "0.01"}));
    CHECK(wait_for([&] { return results(out) > before || !files_named(out, "checkpoint").empty(); }));
    ::kill(child, SIGKILL);
    killed += first.finish(child).exit_code == 128 + SIGKILL ? 1 : 0;
  }
  CHECK(killed >= 1);
  CHECK(rest(words("work", out)).exit_code == 0);
  CHECK(results(out) == 8);
  CHECK(files_named(out, "claim").empty());
  CHECK(files_named(out, ".bitlaw-tmp-").empty());
  CHECK(alone(words("run", "alone")).exit_code == 0);
  CHECK(results_in(out) == results_in(alone.folder().path() / "alone"));
}

TEST_CASE("bitlaw sweep work: SIGTERM and SIGUSR1 save the runs, free them and exit with 130" * BITLAW_LONG_TEST) {
  Program bitlaw;
  const auto out = bitlaw.folder().path() / "out";
  const auto more = [](std::vector<std::string> flags) {
    flags.insert(flags.end(), {"--workers", "2", "--set", "sweep.grid.precision=[float32]"});
    return flags;
  };
  for (const int signal : {SIGTERM, SIGUSR1}) {
    CAPTURE(signal);
    const pid_t child = bitlaw.start(words("work", out, more({}), "524288"));
    CHECK(wait_for([&] { return !files_named(out, "layers.txt").empty() && files_named(out, "claim").size() == 2; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    for (int i = 0; i < 3; ++i) ::kill(child, signal);  // schedulers repeat themselves
    const auto output = bitlaw.finish(child);
    CHECK(output.exit_code == 130);
    CHECK(output.error.find("stopped; what was trained is saved and free for others. Continue with: ") !=
          std::string::npos);
    CHECK(files_named(out, "claim").empty());
    CHECK_FALSE(files_named(out, "checkpoint").empty());
  }
  CHECK(bitlaw(words("work", out, more({"--max-seconds", "0"}), "524288")).exit_code == 130);
  CHECK(bitlaw(words("work", out, more({}), "524288")).exit_code == 0);
}

TEST_CASE("bitlaw run: two at once in one folder share the runs and write the same report" * BITLAW_LONG_TEST) {
  Program one, two;
  const std::string out = one.folder() / "out";
  const pid_t first = one.start(words("run", out, {"--workers", "1"}));
  const pid_t second = two.start(words("run", out, {"--workers", "1"}));
  const auto a = one.finish(first), b = two.finish(second);
  CHECK(a.exit_code == 0);
  CHECK(b.exit_code == 0);
  CHECK(a.out == b.out);
  CHECK(read_sweep_file(out + "/sweep.h5").runs.size() == 8);
  CHECK(files_named(out, ".bitlaw-tmp-").empty());
}

TEST_CASE("bitlaw sweep status: tells who trains what, what a dead process left and what failed") {
  Program bitlaw;
  const auto out = bitlaw.folder().path() / "out";
  const std::string tokens = "524288";
  const pid_t child = bitlaw.start(words("work", out, {"--workers", "1", "--beat-seconds", "0.01"}, tokens));
  CHECK(wait_for([&] { return !files_named(out, "layers.txt").empty(); }));
  Program looker;
  const auto running = looker(words("status", out, {}, tokens));
  CHECK(running.exit_code == 0);
  CHECK(running.out.find(fmt::format(", process {}\n", child)) != std::string::npos);
  ::kill(child, SIGKILL);
  bitlaw.finish(child);
  CHECK(looker(words("status", out, {}, tokens)).out.find("; the process has ended, so the run is free\n") !=
        std::string::npos);
  const auto document = nlohmann::json::parse(looker(words("status", out, {"--json"}, tokens)).out);
  REQUIRE(document["running"].size() == 1);
  CHECK(document["running"][0]["part"] > 0);
  CHECK(document["running"][0]["part"] < 1);
  const std::filesystem::path folder = out / "runs" / document["running"][0]["id"].get<std::string>();
  std::filesystem::remove(folder / "claim");
  for (int i = 0; i < 3; ++i) {
    write_file_atomically(folder / fmt::format("attempt-{}.json", i), R"({"kind": "host lost", "message": "why"})");
  }
  CHECK(looker(words("status", out, {}, tokens)).out.find(": 3 attempts, one of them: host lost: why\n") !=
        std::string::npos);
}

TEST_CASE("bitlaw sweep submit: --dry-run prints the script and writes nothing") {
  Program bitlaw;
  const auto output = bitlaw(words("submit", "out", {"--partition", "cpu", "--per-task", "3", "--dry-run"}));
  CHECK(output.exit_code == 0);
  CHECK(output.out.starts_with("#!/bin/bash\n"));
  CHECK(output.out.find("#SBATCH --array=0-2\n") != std::string::npos);
  CHECK(output.out.find(" sweep work " + kSmokeYaml + " --out " + bitlaw.folder().path().string() + "/out ") !=
        std::string::npos);
  CHECK(entries_in(bitlaw.folder().path()) == 0);
}

TEST_CASE("bitlaw sweep submit: without a scheduler it says so and nothing counts as submitted") {
  Program bitlaw;
  const std::string file = bitlaw.folder().write("t.sh", "# submit: bitlaw-no-such-program @script@\n@command@\n");
  const auto output = bitlaw(words("submit", "out", {"--launcher", "command", "--template", file}));
  CHECK(output.exit_code == 1);
  CHECK(output.error.find("there is no such program here), so nothing was submitted") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(bitlaw.folder() / "out/submit/jobs.jsonl"));
}

TEST_CASE("bitlaw sweep submit: a template's job does the work" * BITLAW_LONG_TEST) {
  Program bitlaw;
  const std::string file =
      bitlaw.folder().write("t.sh", "#!/bin/sh\n# submit: sh @script@\n@command@ >/dev/null 2>&1\n");
  CHECK(bitlaw(words("submit", "out", {"--launcher", "command", "--template", file})).exit_code == 0);
  CHECK(results(bitlaw.folder() / "out") == 8);
  const auto again = bitlaw(words("submit", "out", {"--launcher", "command", "--template", file}));
  CHECK(again.out == "all 8 runs are done, so nothing was submitted\n");
}

}  // namespace
}  // namespace bitlaw
