#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

constexpr std::string_view kGood =
    "experiment: bad\n"
    "corpus: {kind: synthetic, length: 4096}\n"
    "model: {layers: 1, width: 16, context: 16}\n"
    "training: {tokens: 1024, eval_tokens: 64}\n";

void check_yaml_refused(const std::string& more, const std::string& message) {
  const std::map<std::string, std::string> files{{"x.yaml", std::string(kGood) + more}};
  check_refused({"run", "x.yaml"}, message, files);
  check_refused({"sweep", "plan", "x.yaml"}, message, files);
  check_refused({"sweep", "status", "x.yaml"}, message, files);
}

TEST_CASE("bitlaw: a misspelt key") {
  check_yaml_refused("sweep: {grid: {training.token: [512]}}\n",
                     "x.yaml:5:16: unknown key 'training.token' in the sweep, so its value would be ignored; did you "
                     "mean 'training.tokens'?");
}

TEST_CASE("bitlaw: a value of the wrong type") {
  check_yaml_refused("training.batch: many\n",
                     "x.yaml:5:17: training.batch is 'many', not a whole number; write one from 1 to 1000000");
}

TEST_CASE("bitlaw: an unknown format") {
  check_yaml_refused(
      "precision: {all: {format: e2ml, block: 32}}\n",
      "x.yaml:5:27: unknown number format 'e2ml', neither a name of the catalog nor like 'ue5m3:bias=9,ieee', "
      "'int8:frac=6' or 'binary8p3se', so nothing can be "
      "rounded to it; did you mean 'e2m3'?");
}

TEST_CASE("bitlaw: an empty grid") {
  check_yaml_refused("sweep: {grid: {precision: []}}\n",
                     "x.yaml:5:27: axis 'precision' of sweep 'bad' has no values, so the sweep would run nothing; give "
                     "at least one value or delete the axis");
}

TEST_CASE("bitlaw: a missing corpus") {
  const std::string yaml = "experiment: bad\ncorpus: {kind: text, files: [/nowhere/gcide.dict.dz]}\n";
  check_refused({"run", "x.yaml"},
                "x.yaml:2:29: /nowhere/gcide.dict.dz: No such file or directory, so there is no text to train on; "
                "install the Debian or Ubuntu package dict-gcide (./quickstart.sh does), or name your own text files",
                {{"x.yaml", yaml}});
}

TEST_CASE("bitlaw: an unwritable results folder") {
  check_refused({"run", "x.yaml", "--out", "x.yaml/results"},
                "x.yaml/results: cannot be written (Not a directory), so results would be lost; choose another folder "
                "with --out",
                {{"x.yaml", std::string(kGood)}});
}

TEST_CASE("bitlaw: a missing file") {
  check_refused({"run", "x.yaml"},
                "x.yaml: cannot be read (No such file or directory); check the path and its permissions");
  check_refused({"fit", "chinchilla", "x.csv"},
                "x.csv: cannot be read (No such file or directory); check the path and its permissions");
}

TEST_CASE("bitlaw: a corrupt HDF5 file") {
  check_refused({"fit", "chinchilla", "sweep.h5"},
                "sweep.h5: is not an HDF5 file, so it holds no sweep; give the sweep.h5 of a results folder",
                {{"sweep.h5", "no HDF5 at all"}});
  Program bitlaw;
  bitlaw.folder().write("x.yaml", kGood);
  REQUIRE(bitlaw({"run", "x.yaml", "--out", "out"}).exit_code == 0);
  const std::string whole = read_file(bitlaw.folder() / "out/sweep.h5");
  std::string changed = whole;
  changed[whole.size() / 2] ^= 1;
  bitlaw.folder().write("changed.h5", changed);
  const auto refused = bitlaw({"fit", "chinchilla", "changed.h5"});
  CHECK(refused.exit_code == 2);
  CHECK(refused.error ==
        "changed.h5: is damaged, its bytes are not those that were written, so none of it can be trusted; restore it "
        "or run "
        "the experiment again\n");
  bitlaw.folder().write("cut.h5", whole.substr(0, whole.size() / 2));
  const auto output = bitlaw({"fit", "chinchilla", "cut.h5"});
  CHECK(output.exit_code == 2);
  // The words in parentheses are those of the HDF5 library, which differ between its versions.
  CHECK(output.error.starts_with("cut.h5: opening the file failed in the HDF5 library ("));
  CHECK(output.error.ends_with("); is the file complete, the disk not full?\n"));
}

TEST_CASE("bitlaw: a damaged result") {
  Program bitlaw;
  const std::string yaml = bitlaw.folder().write("x.yaml", kGood);
  REQUIRE(bitlaw({"run", "x.yaml"}).exit_code == 0);
  const auto runs = bitlaw.folder().path() / "results/bad/runs";
  const auto result = std::filesystem::directory_iterator(runs)->path() / "result.json";
  write_file_atomically(result, "{");
  const std::string message = std::filesystem::relative(result, bitlaw.folder().path()).string() +
                              ": is cut short or changed, so the run counts as not done; delete the file to train it "
                              "again";
  const auto status = bitlaw({"sweep", "status", "x.yaml"});
  CHECK(status.exit_code == 0);
  CHECK(status.out.find("1 damaged") != std::string::npos);
  const auto output = bitlaw({"run", "x.yaml"});
  CHECK(output.exit_code == 0);
  CHECK(output.error.find(message + ". It is now result.json.damaged, and the run is trained again\n") !=
        std::string::npos);
  CHECK(read_file(result.string() + ".damaged") == "{");
}

TEST_CASE("bitlaw: what belongs to an experiment beside a file of results") {
  const std::string remedy = ", so it would be ignored; leave it out, or name the experiment, a YAML file";
  check_refused({"sweep", "table", "a.h5", "--set", "training.seed=1"},
                "--set training.seed=1: says something of an experiment and a.h5 holds results" + remedy);
  check_refused({"sweep", "curves", "a.h5", "--to", "c", "--out", "there"},
                "--out there: says something of an experiment and a.h5 holds results" + remedy);
  check_refused({"doctor", "a.h5", "--set", "training.seed=1"},
                "--set training.seed=1: says something of an experiment and a.h5 holds results" + remedy);
  check_refused({"sweep", "plan", "x.yaml", "--explain", "--json"},
                "bitlaw sweep plan: --json excludes --explain, so nothing was done; see bitlaw sweep plan --help");
}

TEST_CASE("bitlaw doctor: a file that is nothing it looks into") {
  check_refused({"doctor", "notes.md"},
                "notes.md: is neither a results folder nor a result file, FILE.h5, and as an experiment it is refused: "
                "notes.md:1:1: the file is 'Notes', not a map; write {key: value}",
                {{"notes.md", "Notes\n"}});
  check_refused({"doctor", "x.yml"},
                "x.yml: cannot be read (No such file or directory); check the path and its permissions");
}

TEST_CASE("bitlaw: a name that is given twice is refused, whatever gives it") {
  const auto refused = [](const std::vector<std::string>& words, const std::string& place, const std::string& name) {
    check_refused(
        words, fmt::format("{}: gives {} twice, so it is not clear which is meant; write it once", place, name),
        {{"x.csv", "N,n,D,loss\n1e6,1e6,1e9,3\n"}, {"s.csv", "step,loss\n1,3\n2,2\n"}, {"x.yaml", "experiment: x\n"}});
  };
  refused({"predict", "multi_power", "--published", "25M", "--schedule", "cosine:peak=1,peak=2,steps=10"},
          "--schedule cosine:peak=1,peak=2,steps=10", "peak");
  refused({"optimum", "schedule", "annealing", "--published", "demo", "--steps", "2000", "--peak", "2e-4", "--set",
           "lambda=0.9", "--set", "lambda=0.99"},
          "--set lambda=0.99", "lambda");
  refused({"optimum", "fp_quantization", "--published", "sun", "--compute", "1e21", "--set", "B=32,B=128"},
          "--set B=32,B=128", "B");
  refused({"evaluate", "kaplan_n", "x.csv", "--params", "N_c=1,N_c=2,alpha_N=1"}, "--params N_c=1,N_c=2,alpha_N=1",
          "N_c");
  refused({"conventions", "chinchilla", "x.csv", "--count", "total=N", "--count", "total=n"}, "--count total=n",
          "total");
  refused({"compare", "x.csv", "--laws", "chinchilla,kaplan_nd,chinchilla"}, "--laws chinchilla,kaplan_nd,chinchilla",
          "chinchilla");
  refused({"coverage", "chinchilla", "qat", "chinchilla"}, "bitlaw coverage chinchilla qat chinchilla", "chinchilla");
  refused({"fit", "chinchilla", "x.csv", "--huber", "1e-3", "--huber-delta", "1e-2"}, "--huber 1e-3", "huber_delta");
  refused({"collapse", "a=s.csv", "a=s.csv", "--irreducible", "1"}, "bitlaw collapse a=s.csv", "a");
  refused({"collapse", "a=s.csv", "b=s.csv", "--irreducible", "1", "--map", "loss=a,loss=b"}, "--map loss=b", "loss");
  refused({"sweep", "plan", "x.yaml", "--set", "training.seed=1", "--set", "training.seed=2"}, "--set training.seed=2",
          "training.seed");
  refused({"gemm", "a.npy", "b.npy", "--out", "c.npy", "--accumulator", "tensor_core:chunk=4,chunk=8"},
          "accumulator 'tensor_core:chunk=4,chunk=8'", "chunk");
}

TEST_CASE("bitlaw sweep plan: tells what is most likely not meant, and plans") {
  Program bitlaw;
  const auto output = bitlaw({"sweep", "plan", kSmokeYaml, "--json", "--set", "sweep.exclude=model_layers > 99"});
  CHECK(output.exit_code == 0);
  CHECK(output.error ==
        "warning: --set sweep.exclude=model_layers > 99: sweep.exclude: 'model_layers > 99' leaves out no point beyond "
        "those of the conditions before it; correct it or delete it\n");
  CHECK(nlohmann::json::parse(output.out).contains("runs"));
}

TEST_CASE("bitlaw: unknown verbs and flags") {
  check_refused({"rnu"}, "bitlaw: unknown verb 'rnu', so nothing was done; did you mean 'run'?");
  check_refused(
      {"dance"},
      "bitlaw: unknown verb 'dance', so nothing was done; use one of: run, train, sweep, report, doctor, fit, "
      "evaluate, predict, compare, next, conventions, isoflop, collapse, coverage, formats, laws, quantize, gemm, "
      "kinetics, optimum");
  check_refused(
      {},
      "bitlaw: no verb was given, so nothing was done; use one of: run, train, sweep, report, doctor, fit, "
      "evaluate, predict, compare, next, conventions, isoflop, collapse, coverage, formats, laws, quantize, gemm, "
      "kinetics, optimum");
  check_refused({"sweep"},
                "bitlaw sweep: no verb was given, so nothing was done; use one of: plan, status, submit, work, "
                "table, curves, merge, diff, gc");
  check_refused({"sweep", "plot", "x.yaml"},
                "bitlaw sweep: unknown verb 'plot', so nothing was done; use one of: plan, status, submit, work, "
                "table, curves, merge, diff, gc");
  check_refused({"run"}, "bitlaw run: file is required, so nothing was done; see bitlaw run --help");
  check_refused({"run", "x.yaml", "--worker", "2"},
                "bitlaw run: unknown flag '--worker', so nothing was done; did you mean '--workers'?");
  check_refused({"run", "x.yaml", "--workers", "0"},
                "bitlaw run: --workers: '0' is no number from 1 to 4096, so nothing was done; see bitlaw run --help");
  check_refused({"next", "x.yaml", "--budget", "nan"},
                "bitlaw next: --budget: 'nan' is no number above 0, so nothing was done; see bitlaw next --help");
  check_refused(
      {"kinetics", "cost", "qwen3-8b", "--prompt", "nan"},
      "bitlaw kinetics cost: --prompt: 'nan' is no number from 0 on, so nothing was done; see bitlaw kinetics "
      "cost --help");
  check_refused(
      {"coverage", "qat", "--noise", "inf"},
      "bitlaw coverage: --noise: 'inf' is no number above 0, so nothing was done; see bitlaw coverage --help");
  check_refused({"collapse", "a=x.csv", "--from", "nan"},
                "bitlaw collapse: --from: 'nan' is no number from 0 to 0.99, so nothing was done; see bitlaw collapse "
                "--help");
  check_refused({"formats", "show"},
                "bitlaw formats show: name is required, so nothing was done; see bitlaw formats show --help");
  check_refused({"formats", "e4m3", "--jsn"},
                "bitlaw formats: unknown flag '--jsn', so nothing was done; did you mean '--json'?");
  check_refused({"formats", "e2m"},
                "unknown number format 'e2m', neither a name of the catalog nor like 'ue5m3:bias=9,ieee', "
                "'int8:frac=6' or 'binary8p3se', so nothing can be "
                "rounded to it; did you mean 'e2m3'?");
}

}  // namespace
}  // namespace bitlaw
