// What `bitlaw fit` makes of files and rows before it fits, and where its results go.
#include <fmt/ranges.h>
#include <zlib.h>

#include <cmath>

#include "core/record/sweep_file.h"
#include "core/record/table_rows.h"
#include "fitting/laws/law.h"
#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;

/// L = 1.7 + 400 / N^0.34, times `factor`.
double loss_of(double n, double factor = 1) { return factor * (1.7 + 400 * std::pow(n, -0.34)); }

constexpr double kSizes[] = {1e6, 2e6, 5e6, 1e7, 4e7, 1e8, 6e8, 3e9};

/// Columns "N" and "loss", `line` a format of both.
std::string rows(const std::string& header, const std::string& line, std::size_t first = 0, std::size_t last = 8) {
  std::string text = header;
  for (std::size_t i = first; i < last; ++i) text += fmt::format(fmt::runtime(line), kSizes[i], loss_of(kSizes[i]));
  return text;
}

const std::vector<std::string> kFit{"fit", "--formula", "E + A/N^a", "--map", "N=N"};

json formula_fit(Program& bitlaw, const std::vector<std::string>& more) {
  std::vector<std::string> words = kFit;
  words.insert(words.end(), more.begin(), more.end());
  words.insert(words.end(), {"--bootstrap", "0", "--json"});
  const auto output = bitlaw(words);
  CAPTURE(output.error);
  REQUIRE(output.exit_code == 0);
  return json::parse(output.out);
}

/// The data are exact, and the problem's condition number is below 1e4.
void check_planted(const json& fit) {
  CHECK(fit["parameters"]["E"]["estimate"].get<double>() == doctest::Approx(1.7).epsilon(1e-7));
  CHECK(fit["parameters"]["A"]["estimate"].get<double>() == doctest::Approx(400).epsilon(1e-6));
  CHECK(fit["parameters"]["a"]["estimate"].get<double>() == doctest::Approx(0.34).epsilon(1e-7));
}

TEST_CASE("bitlaw fit: the rows of files of several kinds are joined") {
  Program bitlaw;
  bitlaw.folder().write("a.CSV", rows("N,loss\n", "{},{}\n", 0, 2));
  bitlaw.folder().write("b.tsv", rows("loss\tN\n", "{1}\t{0}\n", 2, 4));
  bitlaw.folder().write("c.jsonl", rows("", "{{\"N\": {}, \"loss\": {}}}\n", 4, 6));
  const std::string text = rows("N,loss\n", "{},{}\n", 6, 8);
  gzFile file = gzopen((bitlaw.folder() / "d.csv.gz").c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  const json fit = formula_fit(bitlaw, {"a.CSV", "b.tsv", "c.jsonl", "d.csv.gz"});
  CHECK(fit["n"] == 8);
  check_planted(fit);
  CHECK(bitlaw({"fit", "chinchilla", "a.CSV", "x.h5"}).error ==
        "x.h5: is of another kind than a.CSV, so their rows cannot be joined; give sweep files only, or tables (.csv, "
        ".tsv, .jsonl, .ndjson, each also .gz; FILE.h5:/GROUP) only\n");
}

TEST_CASE("bitlaw fit: --where takes conditions with numbers, words and columns of any name") {
  Program bitlaw;
  std::string text = "N,loss,split,Seen Examples,lr.peak\n";
  for (const double n : kSizes) text += fmt::format("{},{},train,10,0.5\n", n, loss_of(n));
  text += "1e6,9,test,10,0.5\n1e7,9,train,90,0.5\n1e8,9,train,10,0.1\n1e8,9,train,,0.5\n";
  bitlaw.folder().write("runs.csv", text);
  for (const char* where :
       {"split == 'train' and `Seen Examples` < 20 and lr_peak == 0.5",
        "split != \"test\" && not (`Seen Examples` > 20 or `Seen Examples` != `Seen Examples`) && lr_peak >= 0.5"}) {
    const json fit = formula_fit(bitlaw, {"runs.csv", "--where", where});
    CHECK(fit["n"] == 8);
    check_planted(fit);
  }
  check_planted(formula_fit(
      bitlaw, {"runs.csv", "--where", "split=train", "--where", "Seen Examples=[10, 11]", "--where", "lr_peak > 0.2"}));
  std::vector<std::string> words = kFit;
  for (const char* word : {"runs.csv", "--where", "split > 3"}) words.emplace_back(word);
  CHECK(bitlaw(words).error ==
        fmt::format("runs.csv:2:{}: ", fmt::format("{},{},", kSizes[0], loss_of(kSizes[0])).size() + 1) +
            "'train' in column 'split' is not a number a double can hold; correct or empty the cell\n");
}

TEST_CASE("bitlaw fit: --tail averages the end of each run, --seeds rows of equal inputs, and notes say so") {
  Program bitlaw;
  std::string text = "id,N,loss\n";
  for (const double n : kSizes) {
    for (const int seed : {1, 2}) {
      // The mean of the last two losses of a seed is 0.99 or 1.01 times the planted one, and of these the planted one.
      const double factor = seed == 1 ? 0.99 : 1.01;
      for (const double noise : {3.0, 2.0, factor + 0.01, factor - 0.01}) {
        text += fmt::format("{}/{},{},{}\n", n, seed, n, loss_of(n, noise));
      }
    }
  }
  bitlaw.folder().write("curves.csv", text);
  for (const char* tail : {"2", "50%", "26%"}) {
    const json fit = formula_fit(bitlaw, {"curves.csv", "--map", "run=id", "--tail", tail, "--seeds", "mean"});
    check_planted(fit);
    CHECK(fit["n"] == 8);
    CHECK(fit["warnings"][1] == "16 rows became 8: the mean loss of those with equal inputs was taken");
  }
}

TEST_CASE("bitlaw fit: rows are left out by a rule that is stated beforehand") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", rows("N,loss\n", "{},{}\n") + "2e7,30\n3e7,40\n");
  const json largest = formula_fit(bitlaw, {"runs.csv", "--outliers", "largest=2"});
  check_planted(largest);
  CHECK(largest["warnings"][0] == "by --outliers the 2 largest of 10 losses are left out");
  const json mad = formula_fit(bitlaw, {"runs.csv", "--outliers", "mad=1000"});
  check_planted(mad);
  CHECK(mad["warnings"][0] == "by --outliers mad=1000 2 of 10 observations are left out: row 9, row 10");
}

TEST_CASE("bitlaw fit: with plain residuals outliers are those by differences, not by ratios") {
  Program bitlaw;
  // y = x - 5.1 within 0.02, so ratios are largest where y is about zero; row 15 is off by 1.
  std::string text = "x,loss\n";
  for (int x = 1; x <= 21; ++x) text += fmt::format("{},{}\n", x, x - 5.1 + 0.01 * (x * 7 % 5 - 2) + (x == 15 ? 1 : 0));
  bitlaw.folder().write("line.csv", text);
  const auto output = bitlaw({"fit", "--formula", "a + b*x", "line.csv", "--map", "x=x", "--residual", "plain",
                              "--outliers", "mad=20", "--bootstrap", "0", "--json"});
  REQUIRE(output.exit_code == 0);
  const json fit = json::parse(output.out);
  CHECK(fit["warnings"][0] == "by --outliers mad=20 1 of 21 observations are left out: row 15");
  CHECK(fit["n"] == 20);
}

TEST_CASE("bitlaw fit: rows of --test whose group was not fitted are told of") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", rows("N,loss,kind\n", "{},{},bf16\n"));
  bitlaw.folder().write("test.csv", rows("N,loss,kind\n", "{},{},fp8\n", 0, 3) + rows("", "{},{},bf16\n", 2, 7));
  const auto output = bitlaw({"fit", "--formula", "E + A/N^a", "runs.csv", "--map", "N=N", "--per", "kind", "--test",
                              "test.csv", "--bootstrap", "0", "--json"});
  REQUIRE(output.exit_code == 0);
  json fit = json::parse(output.out);
  if (fit.contains("fits")) fit = fit["fits"][0];
  CHECK(fit["metrics"]["test"]["n"] == 5);
  CHECK(fit["warnings"][0] ==
        "3 rows of --test belong to formula_fp8, of which nothing was fitted, so they are not predicted; give rows of "
        "that group to fit, too");
}

TEST_CASE("bitlaw fit: --set gives every row an input that no column has") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", rows("N,loss\n", "{},{}\n"));
  const auto output = bitlaw({"fit", "--formula", "E + A/N^a + 0 * D", "runs.csv", "--map", "N=N", "--set", "D=1e9",
                              "--bootstrap", "0", "--json"});
  REQUIRE(output.exit_code == 0);
  check_planted(json::parse(output.out));
}

TEST_CASE("bitlaw fit: a formula's coefficient that is called like a column is asked about, not fitted") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", rows("N,D,loss\n", "{0},1e9,{1}\n"));
  const auto fit = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"fit", "--formula", "E + A/N^a + 0 * D", "runs.csv", "--bootstrap", "0", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return bitlaw(words);
  };
  const auto forgotten = fit({"--map", "N=N"});
  CHECK(forgotten.exit_code == 2);
  CHECK(forgotten.out.empty());
  CHECK(forgotten.error ==
        "runs.csv: has a column 'D', but --map does not name it, so 'E + A/N^a + 0 * D' would fit D as a coefficient; "
        "add --map D=D, or say of the coefficient where it starts: --parameter 'D={starts: [1]}'\n");
  check_planted(json::parse(fit({"--map", "N=N,D=D"}).out));
  check_planted(json::parse(fit({"--map", "N=N", "--fix", "D=2"}).out));
  CHECK(json::parse(fit({"--map", "N=N", "--parameter", "D={starts: [1]}"}).out)["parameters"].contains("D"));
  const auto constant = fit({});
  CHECK(constant.exit_code == 2);
  CHECK(constant.error.find("no column is mapped to any of its names") != std::string::npos);
}

TEST_CASE("bitlaw fit: --json, --residuals and --hdf5 write files, and the text is printed beside") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", rows("N,loss\n", "{},{}\n"));
  bitlaw.folder().write("more.csv", "N,loss\n1e10,2\n");
  std::vector<std::string> words = kFit;
  for (const char* word : {"runs.csv", "--bootstrap", "7", "--json", "fit.json", "--residuals", "r.csv", "--hdf5",
                           "fit.h5", "--test", "more.csv"}) {
    words.emplace_back(word);
  }
  const auto output = bitlaw(words);
  CHECK(output.exit_code == 0);
  CHECK(output.out.find("standard error") != std::string::npos);
  const json fit = json::parse(read_file(bitlaw.folder() / "fit.json"));
  check_planted(fit);
  for (const char* key : {"objective", "status", "condition_number", "at_bound", "warnings", "starts_agreeing"}) {
    CHECK(fit.contains(key));
  }
  CHECK(fit["objective"].get<double>() < 1e-20);  // a sum of squares of rounding errors
  CHECK(fit["metrics"]["train"]["n"] == 8);
  CHECK(fit["metrics"]["test"]["mae"].get<double>() == doctest::Approx(std::abs(2 - loss_of(1e10))).epsilon(1e-6));

  const auto residuals = read_numbers(bitlaw.folder() / "r.csv", {"N", "observed", "predicted", "residual"});
  REQUIRE(residuals[0].size() == 9);
  CHECK(residuals[0][8] == 1e10);
  CHECK(residuals[3][8] == doctest::Approx(std::log(2 / loss_of(1e10))).epsilon(1e-6));

  const std::vector<FitRecord> fits = read_fit_file(bitlaw.folder() / "fit.h5");
  REQUIRE(fits.size() == 1);
  CHECK(fits[0].draws.size() == 3 * 7);
  CHECK(fits[0].metrics.size() == 2);
  CHECK(fits[0].metrics[1].mae == fit["metrics"]["test"]["mae"].get<double>());
}

/// Exactly the runs of L = 1.7 + 400 / N^0.34 + 410 / D^0.28, times `factor`, of a task and a corpus.
SweepFile planted_runs(const std::string& task, const std::string& corpus, double factor) {
  SweepFile sweep;
  sweep.experiment = "planted";
  for (const double n : kSizes) {
    for (const double d : {2e7, 4e8, 4e9}) {
      RunRecord run;
      run.run_id = fmt::format("{}-{}-{}-{}", task, corpus, n, d);
      run.precision = "float32";
      run.params = static_cast<std::int64_t>(n);
      run.params_total = run.params;
      run.tokens = static_cast<std::int64_t>(d);
      run.loss = factor * (1.7 + 400 * std::pow(n, -0.34) + 410 * std::pow(d, -0.28));
      run.corpus_fingerprint = corpus;
      run.config["model.width"] = static_cast<std::int64_t>(32);
      if (task != "language_model") run.config["task"] = task;
      sweep.runs.push_back(run);
    }
  }
  return sweep;
}

TEST_CASE("bitlaw fit: runs of several tasks are refused unless the fit separates them") {
  Program bitlaw;
  write_sweep_file(bitlaw.folder() / "a.h5", planted_runs("language_model", "", 1));
  write_sweep_file(bitlaw.folder() / "b.h5", planted_runs("regression", "", 100));
  const std::vector<std::string> fit{"fit", "chinchilla", "a.h5", "b.h5", "--bootstrap", "0", "--json"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), fit.begin(), fit.end());
    return bitlaw(more);
  };
  const std::string refused =
      "bitlaw fit: fit 'chinchilla' takes runs of the tasks language_model and regression, whose losses are different "
      "quantities, so no law describes both; choose one by 'where' (task=language_model), or fit each by 'per' "
      "(task)\n";
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{}, {"--map", "N=params_total,D=tokens"}, {"--where", "model.width=32"}}) {
    CHECK(with(more).exit_code == 2);
    CHECK(with(more).error == refused);
  }
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--where", "task=language_model"},
        {"--where", "task == 'language_model'"},
        {"--where", "task=language_model", "--map", "N=params_total,D=tokens"}}) {
    const json chosen = json::parse(with(more).out);
    CHECK(chosen["n"] == 24);
    CHECK(chosen["parameters"]["E"]["estimate"].get<double>() == doctest::Approx(1.7).epsilon(1e-5));
  }
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--per", "task"}, {"--per", "task", "--map", "N=params_total,D=tokens"}}) {
    const json both = json::parse(with(more).out)["fits"];
    REQUIRE(both.size() == 2);
    CHECK(both[0]["name"] == "chinchilla_language_model");
    CHECK(both[1]["name"] == "chinchilla_regression");
    CHECK(both[1]["parameters"]["E"]["estimate"].get<double>() == doctest::Approx(170).epsilon(1e-5));
  }
}

TEST_CASE("bitlaw compare: a sweep file needs no --map, as of bitlaw fit") {
  Program bitlaw;
  write_sweep_file(bitlaw.folder() / "a.h5", planted_runs("language_model", "", 1));
  write_sweep_file(bitlaw.folder() / "b.h5", planted_runs("regression", "", 100));
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"compare", "a.h5"};
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), {"--laws", "hestness,chinchilla", "--json"});
    return bitlaw(words);
  };
  for (const std::vector<std::string>& more : {std::vector<std::string>{},
                                               {"--map", "N=params_total,D=tokens"},
                                               {"b.h5", "--where", "task == 'language_model'"}}) {
    CAPTURE(more.size());
    const auto output = with(more);
    REQUIRE(output.exit_code == 0);
    const json laws = json::parse(output.out)["comparisons"][0]["laws"];
    CHECK(laws[1]["law"] == "chinchilla");  // the planted one: its losses are exact, those of hestness know no N
    CHECK(laws[1]["folds_error"].get<double>() < 1e-6);
    CHECK(laws[0]["folds_error"].get<double>() > 1e-3);
  }
  const auto mixed = with({"b.h5"});
  CHECK(mixed.exit_code == 2);
  CHECK(mixed.error.find("takes runs of the tasks language_model and regression") != std::string::npos);
}

TEST_CASE("bitlaw fit: runs of several corpora are warned of, and a run of two files is one") {
  Program bitlaw;
  write_sweep_file(bitlaw.folder() / "a.h5", planted_runs("language_model", "0123456789", 1));
  write_sweep_file(bitlaw.folder() / "b.h5", planted_runs("language_model", "abcdef0123", 1));
  const auto warnings = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"fit", "chinchilla", "--bootstrap", "0"};
    words.insert(words.end(), more.begin(), more.end());
    words.emplace_back("--json");
    return json::parse(bitlaw(words).out)["warnings"].dump();
  };
  const std::string warning =
      "the runs are of 2 corpora (01234567, abcdef01), whose least possible losses differ, so one law describes none "
      "of "
      "them; fit each by itself";
  CHECK(warnings({"a.h5", "b.h5"}).find(warning) != std::string::npos);
  CHECK(warnings({"a.h5", "b.h5", "--map", "N=params_total,D=tokens"}).find(warning) != std::string::npos);
  CHECK(warnings({"a.h5"}).find("corpora") == std::string::npos);
  const auto twice =
      bitlaw({"fit", "chinchilla", "a.h5", "a.h5", "--map", "N=params_total,D=tokens", "--bootstrap", "0", "--json"});
  CHECK(json::parse(twice.out)["n"] == 24);
}

TEST_CASE("bitlaw fit: where nothing can be fitted the exit code is 1, and the files say why") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", rows("N,loss,set\n", "{},{},many\n", 0, 6) + "1e6,5,few\n2e6,4,few\n");
  const std::vector<std::string> per{"--per", "set"}, few{"--where", "set=few"}, many{"--where", "set=many"};
  const auto fit = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = kFit;
    words.insert(words.end(), {"runs.csv", "--bootstrap", "0", "--json", "fit.json", "--hdf5", "fit.h5"});
    words.insert(words.end(), more.begin(), more.end());
    return bitlaw(words);
  };
  CHECK(fit(many).exit_code == 0);
  const auto nothing = fit(few);
  CHECK(nothing.exit_code == 1);
  CHECK(nothing.error ==
        "formula: refused: fewer runs than free parameters, so nothing was fitted; its warnings say more\n");
  const json written = json::parse(read_file(bitlaw.folder() / "fit.json"));
  CHECK(written["status"] == "refused");
  CHECK(written["warnings"].dump().find("2 losses cannot decide 3 free parameters") != std::string::npos);
  CHECK(read_fit_file(bitlaw.folder() / "fit.h5").at(0).warnings.size() == written["warnings"].size());
  const auto partly = fit(per);
  CHECK(partly.exit_code == 1);
  CHECK(partly.error ==
        "formula_few: refused: fewer runs than free parameters, so nothing was fitted; its warnings say more\n");
  CHECK(json::parse(read_file(bitlaw.folder() / "fit.json"))["fits"][0]["status"] == "converged");
}

TEST_CASE("bitlaw fit: a file without losses says what it is") {
  check_refused({"fit", "chinchilla", "x.csv"},
                "x.csv: has no rows, only names of columns, so there is nothing to fit; write a row for each loss",
                {{"x.csv", "N,D,loss\n"}});
  check_refused({"fit", "chinchilla", "x.csv"},
                "x.csv:1:1: the header is one column, 'N;D;loss', so its cells seem to be separated by ';'; separate "
                "them by commas, or by tabs in a file named .tsv",
                {{"x.csv", "N;D;loss\n1;2;3\n"}});
  check_refused({"fit", "chinchilla", "fit.json"},
                "fit.json: holds a fit, not the losses that one is made from, so there is nothing to fit; give those, "
                "or ask the fit: bitlaw predict, bitlaw optimum",
                {{"fit.json", "{\"parameters\": {}}"}});
  for (const char* text : {"[{\"N\": 1}]", "{", ""}) {
    check_refused({"fit", "annealing", "runs.json"},
                  "runs.json: is no table, so it has no rows to fit; give sweep.h5, a .csv or .tsv, or a .jsonl, one "
                  "object a line",
                  {{"runs.json", text}});
  }
  Program bitlaw;
  write_sweep_file(bitlaw.folder() / "empty.h5", SweepFile{});
  CHECK(bitlaw({"fit", "chinchilla", "empty.h5"}).error ==
        "empty.h5: has no finished run, so there is nothing to fit; train it with bitlaw run\n");
}

TEST_CASE("bitlaw fit: a law or a file that is lacking is asked for") {
  check_refused({"fit", "chinchilla"},
                "no data file is named beside 'chinchilla', so there is nothing to fit; write the law and its data, "
                "bitlaw fit chinchilla runs.csv");
  check_refused({"fit", "runs.csv", "chinchilla"},
                "law 'runs.csv' is not known, so nothing can be fitted; use one of: " +
                    std::string(fmt::format("{}", fmt::join(law_names(), ", "))));
}

}  // namespace
}  // namespace bitlaw
