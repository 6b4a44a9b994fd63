#include <fmt/ranges.h>

#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

using Files = std::map<std::string, std::string>;

constexpr const char* kRuns =
    "N,D,loss\n1e6,2e7,4.1\n1e6,4e7,3.9\n2e6,2e7,3.8\n2e6,4e7,3.6\n4e6,2e7,3.6\n4e6,4e7,3.4\n8e6,8e7,3.1\n";
constexpr const char* kYaml =
    "extends: base.yaml\nexperiment: x\nsweep: {grid: {model.width: [8, 16], training.tokens: [640, 1280]}}\n"
    "fits: [{law: chinchilla, bootstrap: 0}]\n";
constexpr const char* kBase =
    "corpus: {kind: synthetic, vocabulary: 16, length: 8192}\nmodel: {layers: 1, heads: 1, context: 16}\n"
    "training: {batch: 4, eval_tokens: 64}\n";

/// Exit code 2, this message, and the same files with the same bytes as before.
void check_kept(Program& bitlaw, const std::vector<std::string>& words, const std::string& message) {
  const auto contents = [&] {
    Files files;
    for (const auto& entry : fs::directory_iterator(bitlaw.folder().path())) {
      files[entry.path().filename()] = entry.is_regular_file() ? read_file(entry.path()) : "";
    }
    return files;
  };
  CAPTURE(fmt::format("{}", fmt::join(words, " ")));
  const Files before = contents();
  const auto output = bitlaw(words);
  CHECK(output.exit_code == 2);
  CHECK(output.error == message + "\n");
  CHECK(output.out == "");
  CHECK((contents() == before));
}

std::string is_input(const std::string& flag_and_word, const std::string& input) {
  return flag_and_word + ": is the input " + input + ", so what it holds would be lost; choose another file";
}

TEST_CASE("bitlaw fit, evaluate, compare, predict: a file that is read is not written, by whatever name") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", kRuns);
  bitlaw.folder().write("runs", kRuns);
  bitlaw.folder().write("fit.json", "{}");
  fs::create_symlink("fit.json", bitlaw.folder().path() / "link.json");
  fs::create_hard_link(bitlaw.folder().path() / "runs.csv", bitlaw.folder().path() / "hard");
  check_kept(bitlaw, {"fit", "chinchilla", "runs", "--json", "runs"}, is_input("--json runs", "runs"));
  check_kept(bitlaw, {"fit", "chinchilla", "runs.csv", "--json", "hard"}, is_input("--json hard", "runs.csv"));
  check_kept(bitlaw, {"fit", "chinchilla", "runs.csv", "--residuals", "./runs.csv"},
             is_input("--residuals ./runs.csv", "runs.csv"));
  check_kept(bitlaw, {"fit", "chinchilla", "runs.csv:/a", "--hdf5", "runs.csv"},
             is_input("--hdf5 runs.csv", "runs.csv"));
  check_kept(bitlaw, {"fit", "chinchilla", "runs.csv", "--test", "runs", "--hdf5", "runs"},
             is_input("--hdf5 runs", "runs"));
  check_kept(bitlaw, {"compare", "runs", "--laws", "chinchilla,kaplan_nd", "--json", "runs"},
             is_input("--json runs", "runs"));
  check_kept(bitlaw, {"evaluate", "chinchilla", "runs.csv", "--params", "fit.json", "--json", "fit.json"},
             is_input("--json fit.json", "fit.json"));
  check_kept(bitlaw, {"predict", "fit.json", "runs.csv", "--json", "link.json"},
             is_input("--json link.json", "fit.json"));
  check_kept(bitlaw, {"optimum", "schedule", "fit.json", "--out", "fit.json"}, is_input("--out fit.json", "fit.json"));
}

TEST_CASE("bitlaw fit: two outputs in one file, and a table behind --json, are refused") {
  Program bitlaw;
  bitlaw.folder().write("a.csv", kRuns);
  bitlaw.folder().write("b.csv", kRuns);
  check_kept(bitlaw, {"fit", "chinchilla", "a.csv", "--json", "out", "--residuals", "./out"},
             "--residuals ./out: is what --json writes, so one of them would be lost; choose another file");
  check_kept(bitlaw, {"fit", "chinchilla", "a.csv", "--residuals", "out", "--hdf5", "out"},
             "--hdf5 out: is what --residuals writes, so one of them would be lost; choose another file");
  check_kept(bitlaw, {"fit", "chinchilla", "a.csv", "--json", "b.csv"},
             "--json b.csv: the word behind --json is the file to write, and this is a table by its name, so it would "
             "be lost and not be read; write --json at the end, or a name in .json behind it");
  const auto good = bitlaw({"fit", "chinchilla", "a.csv", "b.csv", "--json", "fit.json", "--residuals", "rows.csv"});
  CHECK(good.exit_code == 0);
  CHECK(bitlaw({"fit", "chinchilla", "a.csv", "b.csv", "--json", "fit.json"}).exit_code == 0);  // anew
}

TEST_CASE("bitlaw kinetics: traces are not replaced by what is made of them") {
  Program bitlaw;
  REQUIRE(bitlaw({"kinetics", "simulate", "--tasks", "2", "--answers", "2", "--out", "t.jsonl"}).exit_code == 0);
  fs::copy(bitlaw.folder().path() / "t.jsonl", bitlaw.folder().path() / "t");
  check_kept(bitlaw, {"kinetics", "fit", "t", "--json", "t"}, is_input("--json t", "t"));
  check_kept(bitlaw, {"kinetics", "frontier", "t.jsonl", "--per-task", "t.jsonl"},
             is_input("--per-task t.jsonl", "t.jsonl"));
  check_kept(bitlaw, {"kinetics", "frontier", "qwen3-8b=t.jsonl", "--strategies", "t.jsonl"},
             is_input("--strategies t.jsonl", "t.jsonl"));
  check_kept(bitlaw, {"kinetics", "frontier", "t.jsonl", "--strategies", "s", "--per-task", "s"},
             "--strategies s: is what --per-task writes, so one of them would be lost; choose another file");
}

TEST_CASE("bitlaw: sweep files and experiments are not replaced by what is made of them") {
  Program bitlaw;
  bitlaw.folder().write("x.yaml", kYaml);
  bitlaw.folder().write("base.yaml", kBase);
  check_kept(bitlaw, {"next", "x.yaml", "--budget", "1e12", "--yaml", "x.yaml"}, is_input("--yaml x.yaml", "x.yaml"));
  check_kept(bitlaw, {"next", "x.yaml", "--budget", "1e12", "--yaml", "base.yaml"},
             is_input("--yaml base.yaml", "base.yaml"));
  check_kept(bitlaw, {"sweep", "table", "x.yaml", "--to", "base.yaml"}, is_input("--to base.yaml", "base.yaml"));
  REQUIRE(bitlaw({"run", "x.yaml", "--out", "out"}).exit_code == 0);
  fs::copy(bitlaw.folder().path() / "out/sweep.h5", bitlaw.folder().path() / "s.h5");
  check_kept(bitlaw, {"report", "s.h5", "--to", "s.h5"}, is_input("--to s.h5", "s.h5"));
  check_kept(bitlaw, {"sweep", "table", "s.h5", "--to", "s.h5"}, is_input("--to s.h5", "s.h5"));
  check_kept(bitlaw, {"sweep", "table", "s.h5", "--format", "hdf5", "--to", "s.h5"}, is_input("--to s.h5", "s.h5"));
  check_kept(bitlaw, {"sweep", "merge", "s.h5", "s.h5", "--to", "s.h5"}, is_input("--to s.h5", "s.h5"));
  CHECK(bitlaw({"sweep", "merge", "s.h5", "s.h5", "--to", "both.h5"}).exit_code == 0);
}

}  // namespace
}  // namespace bitlaw
