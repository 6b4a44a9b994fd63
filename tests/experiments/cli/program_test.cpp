#include <algorithm>
#include <sstream>
#include <string>

#include "core/format/catalog.h"
#include "core/record/sweep_file.h"
#include "tests/experiments/cli/program.h"
#include "tests/support/long_test.h"

namespace bitlaw {
namespace {

using nlohmann::json;

TEST_CASE("bitlaw run: leaves the files that it names, and the second time does nothing but show them") {
  Program bitlaw;
  const auto first = bitlaw({"run", kSmokeYaml});
  CHECK(first.exit_code == 0);
  CHECK(first.out.find("data:   results/smoke/sweep.h5\n") != std::string::npos);
  CHECK(first.out.find("chinchilla_mxfp4") != std::string::npos);
  // A line per finished run, "...: loss 1.2345 nat in 0.1 s", beside those of progress where runs take seconds.
  std::istringstream lines(first.error);
  int finished = 0;
  for (std::string line; std::getline(lines, line);) finished += line.find(": loss ") != std::string::npos ? 1 : 0;
  CHECK(finished == 24);
  const auto results = bitlaw.folder().path() / "results" / "smoke";
  std::map<std::string, std::filesystem::file_time_type> times;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(results)) {
    times[entry.path().string()] = entry.last_write_time();
  }
  const auto second = bitlaw({"run", kSmokeYaml});
  CHECK(second.exit_code == 0);
  CHECK(second.out == first.out);
  CHECK(second.error == "");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(results)) {
    CHECK(entry.last_write_time() == times[entry.path().string()]);
  }
}

TEST_CASE("bitlaw run: 1 and 2 workers give the same losses, curves, states and fits, bit for bit" * BITLAW_LONG_TEST) {
  Program bitlaw;
  CHECK(bitlaw({"run", kSmokeYaml, "--out", "one", "--workers", "1"}).exit_code == 0);
  CHECK(bitlaw({"run", kSmokeYaml, "--out", "two", "--workers", "2"}).exit_code == 0);
  const auto one = results_in(bitlaw.folder().path() / "one"), two = results_in(bitlaw.folder().path() / "two");
  CHECK(one.size() == 24);
  CHECK(one == two);
  const SweepFile a = read_sweep_file(bitlaw.folder() / "one/sweep.h5"),
                  b = read_sweep_file(bitlaw.folder() / "two/sweep.h5");
  REQUIRE(a.runs.size() == 24);
  REQUIRE(b.runs.size() == 24);
  for (std::size_t i = 0; i < a.runs.size(); ++i) {
    CHECK(a.runs[i].loss == b.runs[i].loss);
    CHECK(a.runs[i].state_hash == b.runs[i].state_hash);
  }
  REQUIRE(a.fits.size() == 2);
  for (std::size_t i = 0; i < a.fits.size(); ++i) CHECK(a.fits[i].draws == b.fits[i].draws);
}

TEST_CASE("bitlaw run: no loss is below the source's entropy rate, and more tokens come closer" * BITLAW_LONG_TEST) {
  Program bitlaw;
  const auto output = bitlaw({"run", kSmokeYaml, "--json"});
  REQUIRE(output.exit_code == 0);
  std::map<std::pair<std::int64_t, std::string>, std::map<std::int64_t, double>> by_size;
  const json document = json::parse(output.out);
  for (const json& run : document["runs"]) {
    CHECK(run["loss"].get<double>() > run["entropy_rate"].get<double>());
    by_size[{run["params"], run["precision"]}][run["tokens"]] = run["loss"];
  }
  CHECK(by_size.size() == 8);
  for (const auto& entry : by_size) {  // not a structured binding: clang 14 cannot capture one
    const auto& losses = entry.second;
    CAPTURE(entry.first.first);
    REQUIRE(losses.size() == 3);
    CHECK(losses.at(2048) > losses.at(4096));
    CHECK(losses.at(4096) > losses.at(8192));
  }
}

TEST_CASE("bitlaw: --json prints one document and nothing else") {
  Program bitlaw;
  const auto run = bitlaw({"run", kSmokeYaml, "--json", "--set", "sweep.grid.training.tokens=[1024]"});
  const json result = json::parse(run.out);
  CHECK(result["trained"] == 8);
  CHECK(result["runs"].size() == 8);
  CHECK(result["fits"].size() == 2);
  CHECK(result["files"]["data"] == "results/smoke/sweep.h5");
  CHECK(json::parse(
            bitlaw({"run", kSmokeYaml, "--json", "--set", "sweep.grid.training.tokens=[1024]"}).out)["trained"] == 0);

  const json plan = json::parse(bitlaw({"sweep", "plan", kSmokeYaml, "--json"}).out);
  CHECK(plan["runs"].size() == 24);
  CHECK(plan["runs"][0]["values"]["model.width"] == 8);
  CHECK(plan["runs"][0]["state"] == "new");
  const json status = json::parse(
      bitlaw({"sweep", "status", kSmokeYaml, "--json", "--set", "sweep.grid.training.tokens=[1024, 2048]"}).out);
  CHECK(status["totals"]["done"] == 8);
  CHECK(status["totals"]["new"] == 8);
  const json fit = json::parse(bitlaw({"fit", "chinchilla", "results/smoke/sweep.h5", "--json"}).out);
  CHECK(fit["n"] == 8);
  // A run that several files have is one run.
  const json twice =
      json::parse(bitlaw({"fit", "chinchilla", "results/smoke/sweep.h5", "results/smoke/sweep.h5", "--json"}).out);
  CHECK(twice["n"] == 8);
  const json formats = json::parse(bitlaw({"formats", "--json"}).out);
  CHECK(formats["formats"].size() == format_catalog().size() + 1);  // and nf4
}

TEST_CASE("bitlaw train: one run of many, with the bits that 'run' gives it; --explain writes nothing" *
          BITLAW_LONG_TEST) {
  Program bitlaw;
  const auto undecided = bitlaw({"train", kSmokeYaml});
  CHECK(undecided.exit_code == 2);
  CHECK(undecided.error.find("has 24 runs, so it is not known which to train") != std::string::npos);
  CHECK(bitlaw({"train", kSmokeYaml, "--run", "25"}).exit_code == 2);
  const auto explained = bitlaw({"train", kSmokeYaml, "--run", "2", "--explain"});
  CHECK(explained.exit_code == 0);
  CHECK(explained.out.find("block0.mlp.down") != std::string::npos);
  CHECK(entries_in(bitlaw.folder().path()) == 0);
  const auto alone = nlohmann::json::parse(bitlaw({"train", kSmokeYaml, "--run", "2", "--json", "--out", "a"}).out);
  const auto among = nlohmann::json::parse(bitlaw({"run", kSmokeYaml, "--json", "--out", "b"}).out).at("runs").at(1);
  CHECK(alone.at("run_id") == among.at("run_id"));
  CHECK(alone.at("state_hash") == among.at("state_hash"));
}

TEST_CASE("bitlaw sweep: looks without writing") {
  Program bitlaw;
  const auto plan = bitlaw({"sweep", "plan", kSmokeYaml});
  CHECK(plan.exit_code == 0);
  CHECK(plan.out.find("smoke: 24 runs") != std::string::npos);
  CHECK(bitlaw({"sweep", "status", kSmokeYaml}).out.find(" FLOPs: 24 new\n") != std::string::npos);
  CHECK(entries_in(bitlaw.folder().path()) == 0);
}

TEST_CASE("bitlaw: every verb has help with examples") {
  Program bitlaw;
  for (const auto& words : std::vector<std::vector<std::string>>{{"run"},
                                                                 {"train"},
                                                                 {"sweep"},
                                                                 {"sweep", "plan"},
                                                                 {"sweep", "status"},
                                                                 {"fit"},
                                                                 {"formats"},
                                                                 {"formats", "show"},
                                                                 {"formats", "compare"},
                                                                 {"quantize"},
                                                                 {"gemm"}}) {
    std::vector<std::string> asked = words;
    asked.emplace_back("--help");
    const auto output = bitlaw(asked);
    CAPTURE(words.back());
    CHECK(output.exit_code == 0);
    CHECK(output.out.find("Examples:\n  bitlaw " + words.front()) != std::string::npos);
  }
  CHECK(bitlaw({"--version"}).out.starts_with("bitlaw 0."));
}

}  // namespace
}  // namespace bitlaw
