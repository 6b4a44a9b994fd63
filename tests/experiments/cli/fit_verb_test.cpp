#include <cmath>

#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;

constexpr double kE = 1.7, kA = 400, kAlpha = 0.34, kB = 410, kBeta = 0.28;

/// Losses exactly on the law L = E + A/N^alpha + B/D^beta, with columns that have other names than the law's inputs.
std::string fitted_csv() {
  std::string text = "size,seen,group,val_loss\n";
  for (const double n : {1e6, 4e6, 2e7, 1e8}) {
    for (const double d : {2e7, 1e8, 5e8, 4e9}) {
      text += fmt::format("{},{},{},{}\n", n, d, n < 1e7 ? "small" : "large",
                          kE + kA * std::pow(n, -kAlpha) + kB * std::pow(d, -kBeta));
    }
  }
  return text + "1e9,1e9,large,\n";
}

double estimate(const json& fit, const std::string& name) { return fit["parameters"][name]["estimate"]; }

TEST_CASE("bitlaw fit: finds the law that a CSV was made from") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", fitted_csv());
  const auto output =
      bitlaw({"fit", "chinchilla", "runs.csv", "--map", "N=size,D=seen,loss=val_loss", "--bootstrap", "20", "--json"});
  REQUIRE(output.exit_code == 0);
  const json fit = json::parse(output.out);
  CHECK(fit["status"] == "converged");
  // The data are exact to 1e-16 and the problem's condition number is below 1e6.
  CHECK(std::abs(estimate(fit, "E") / kE - 1) < 1e-6);
  CHECK(std::abs(estimate(fit, "A") / kA - 1) < 1e-6);
  CHECK(std::abs(estimate(fit, "alpha") / kAlpha - 1) < 1e-6);
  CHECK(std::abs(estimate(fit, "B") / kB - 1) < 1e-6);
  CHECK(std::abs(estimate(fit, "beta") / kBeta - 1) < 1e-6);
  CHECK(fit["n"] == 16);
  CHECK(fit["warnings"][0] == "1 of 17 rows have no loss and are left out");
}

TEST_CASE("bitlaw fit: --where, --per and --fix choose rows, groups and parameters") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", fitted_csv());
  const std::vector<std::string> words{"fit",         "chinchilla", "runs.csv", "--map", "N=size,D=seen,loss=val_loss",
                                       "--bootstrap", "0",          "--json",   "--fix", "E=1.7",
                                       "--fix",       "alpha=0.34"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = words;
    all.insert(all.end(), more.begin(), more.end());
    return json::parse(bitlaw(all).out);
  };
  const json per = with({"--per", "group"})["fits"];
  REQUIRE(per.size() == 2);
  CHECK(per[0]["name"] == "chinchilla_small");
  CHECK(per[0]["n"] == 8);
  CHECK(per[0]["parameters"]["E"]["fixed"] == true);
  CHECK(std::abs(estimate(per[1], "B") / kB - 1) < 1e-6);
  const json where = with({"--where", "group=small", "--where", "seen=[2e7, 1e8, 5e8]"});
  CHECK(where["n"] == 6);
}

TEST_CASE("bitlaw fit: rows of one run are resampled together") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", fitted_csv());
  // One cluster each for two groups: fewer runs than parameters, so there are estimates but no intervals, which the
  // warnings say.
  const auto output =
      bitlaw({"fit", "chinchilla", "runs.csv", "--map", "N=size,D=seen,loss=val_loss,run=group", "--json"});
  CHECK(output.exit_code == 0);
  const json fit = json::parse(output.out);
  CHECK(fit["parameters"]["A"]["ci95"][0].is_null());
  CHECK(fit["warnings"].dump().find("come from 2 runs, no more than the 5 free parameters") != std::string::npos);
}

TEST_CASE("bitlaw fit: profile, jackknife, derived quantities and another objective are asked for by flags") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", fitted_csv());
  const auto output =
      bitlaw({"fit", "chinchilla", "runs.csv", "--map", "N=size,D=seen,loss=val_loss", "--objective", "least_squares",
              "--profile", "--jackknife", "--compute", "1e18", "--bootstrap", "5", "--json"});
  CHECK(output.exit_code == 0);
  const json fit = json::parse(output.out);
  CHECK(fit["objective_function"] == "sum of half the squares on log loss");
  CHECK(fit["derived"].contains("N_opt(1e+18 FLOP)"));
  CHECK(fit["warnings"].dump().find("no formula is known") == std::string::npos);
  CHECK(fit["derived"]["a (N_opt ~ C^a)"]["estimate"].get<double>() +
            fit["derived"]["b (D_opt ~ C^b)"]["estimate"].get<double>() ==
        doctest::Approx(1));
  CHECK(fit["parameters"]["A"].contains("ci95_profile"));
  CHECK(bitlaw({"fit", "chinchilla", "runs.csv", "--objective", "hubert"}).error ==
        "--objective hubert: objective is 'hubert', which is not known; did you mean 'huber'?\n");
}

TEST_CASE("bitlaw fit: a law written as a formula gives what the built-in one gives") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", fitted_csv());
  const auto fit = [&](std::vector<std::string> law) {
    std::vector<std::string> words{"fit"};
    words.insert(words.end(), law.begin(), law.end());
    for (const char* word : {"runs.csv", "--map", "N=size,D=seen,loss=val_loss", "--bootstrap", "0", "--json"}) {
      words.emplace_back(word);
    }
    return json::parse(bitlaw(words).out)["parameters"];
  };
  const json asked = json::parse(bitlaw({"fit", "runs.csv", "--formula", "E + A/N^a", "--map", "N=size,loss=val_loss",
                                         "--compute", "1e18", "--bootstrap", "0", "--json"})
                                     .out);
  CHECK(asked["warnings"].dump().find("no formula is known for what is best at 1e+18 FLOP by this law, so it is not "
                                      "told; bitlaw optimum searches for it") != std::string::npos);
  const json built_in = fit({"chinchilla"});
  const json written = fit({"--formula", "E + A/N^a + B/D^b", "--parameter", "A={linear: true, starts: [1, 100]}"});
  CHECK(written["E"]["estimate"].get<double>() == doctest::Approx(built_in["E"]["estimate"].get<double>()));
  CHECK(written["b"]["estimate"].get<double>() == doctest::Approx(built_in["beta"]["estimate"].get<double>()));
  CHECK(
      bitlaw({"fit", "runs.csv", "--formula", "E + A/", "--map", "N=size"}).error.find("column 7: expected a number") !=
      std::string::npos);
}

TEST_CASE("bitlaw compare: scores the laws asked for on the same rows") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", fitted_csv());
  const auto output = bitlaw({"compare", "runs.csv", "--laws", "chinchilla,hestness", "--map",
                              "N=size,D=seen,loss=val_loss", "--objective", "least_squares", "--folds", "4", "--json"});
  CHECK(output.exit_code == 0);
  const json laws = json::parse(output.out)["comparisons"][0]["laws"];
  REQUIRE(laws.size() == 2);
  CHECK(laws[0]["weight"].get<double>() > 0.99);  // the planted one
  CHECK(laws[0]["folds_error"].get<double>() < laws[1]["folds_error"].get<double>());
}

TEST_CASE("bitlaw fit: an unknown law is named, with the nearest one") {
  Program bitlaw;
  CHECK(bitlaw({"fit", "chinchila", "runs.csv"}).error ==
        "law 'chinchila' is not known, so nothing can be fitted; did you mean 'chinchilla'?\n");
}

TEST_CASE("bitlaw fit: a cell that no law can take is named by line and column") {
  Program bitlaw;
  struct Row {
    std::string line, message;
  };
  for (const Row& row : {
           Row{"1e6,2e7,-3",
               "runs.csv:3:9: loss is -3, not a positive number, so it has no logarithm; correct the cell "
               "or empty it to leave the row out"},
           Row{"0,2e7,3",
               "runs.csv:3:1: N is 0, so law 'chinchilla' has no value; give a number of at least 1 or empty "
               "the row's loss to leave it out"},
           Row{"1e6,,3",
               "runs.csv:3:5: D is empty, so law 'chinchilla' has no value; give a number of at least 1 or "
               "empty the row's loss to leave it out"},
           Row{"1e6,inf,3",
               "runs.csv:3:5: D is inf, so law 'chinchilla' has no value; give a number of at least 1 or "
               "empty the row's loss to leave it out"},
       }) {
    bitlaw.folder().write("runs.csv", "N,seen,loss\n1e6,1e7,3\n" + row.line + "\n");
    const auto output = bitlaw({"fit", "chinchilla", "runs.csv", "--map", "D=seen"});
    CHECK(output.exit_code == 2);
    CHECK(output.error == row.message + "\n");
  }
}

TEST_CASE("bitlaw fit: wrong flags are named") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", fitted_csv());
  struct Row {
    std::vector<std::string> flags;
    std::string message;
  };
  for (const Row& row : std::vector<Row>{
           {{"--map", "n=size"},
            "--map n=size: law 'chinchilla' takes no 'n', so the column would be ignored; it takes N, D, loss, run "
            "and weight"},
           {{"--map", "N=sise,D=seen,loss=val_loss"},
            "runs.csv: has no column 'sise', so N is unknown; did you mean --map N=size? its columns are size, seen, "
            "group, "
            "val_loss"},
           {{"--map", "D=seen"},
            "runs.csv: has no column 'N', so N is unknown; say which with --map N=COLUMN; its columns are size, seen, "
            "group, val_loss"},
           {{"--map", "N=size,N=seen"},
            "--map N=seen: gives N twice, so it is not clear which is meant; write it once"},
           {{"--where", "size > many"},
            "--where 'size > many': runs.csv has no column 'many', so no row can be chosen; it may use: size, seen, "
            "group, val_loss"},
           {{"--where", "group == small"},
            "--where 'group == small': runs.csv has no column 'small', so no row can be chosen; it may use: size, "
            "seen, group, val_loss"},
           {{"--where", "size === 3"},
            "--where 'size === 3': Unexpected operator \"=\" found at position 7, so no row can be chosen; write for "
            "example --where 'step < 24000 and split == "
            "\"train\"'"},
           {{"--set", "depth=3"},
            "--set depth=3: is no input of law 'chinchilla' with a number, so it would be ignored; it takes N, D"},
           {{"--map", "N=size,D=seen,loss=val_loss", "--tail", "5"},
            "--tail 5: the rows' runs are unknown, so the end of a curve is, too; name their column with --map "
            "run=COLUMN"},
           {{"--map", "N=size,D=seen,loss=val_loss", "--outliers", "5"},
            "--outliers 5: is no rule, so it is not clear what to leave out; write largest=5, the largest losses, or "
            "mad=4, residuals so many deviations from the others"},
           {{"--json", "nowhere/fit.json"},
            "nowhere/fit.json: its folder does not exist, so nothing was written; make it, or choose another"},
           {{"--map", "N"}, "--map N: is not key=value, so it says nothing; write for example --map N=params"},
           {{"--where", "grop=small"},
            "--where grop=small: runs.csv has no column 'grop', so the fit would select by nothing; did you "
            "mean 'group'?"},
           {{"--fix", "E=1", "--fix", "E=2"},
            "--fix E=2: gives E twice, so it is not clear which is meant; write it once"},
           {{"--fix", "gamma=1"},
            "--fix gamma=1: law 'chinchilla' has no parameter 'gamma', so it cannot be held; use one of: A, alpha, "
            "B, "
            "beta, E"},
           {{"--bootstrap", "many"},
            "--bootstrap many: bootstrap is 'many', not a whole number; write one from 0 to 1000000"},
           {{"--freedom", "3"},
            "--freedom 3: freedom means something with objective student_t only, so it would be ignored; delete it or "
            "set that objective"},
           {{"--objective", "least_squares", "--huber-delta", "0.1"},
            "--huber-delta 0.1: huber_delta means something with objective huber or huber_likelihood only, so it would "
            "be ignored; delete it or set that objective"},
           {{"--huber-delta", "0"},
            "--huber-delta 0: huber_delta is 0, outside of what it can be; write a number from 1e-12 to 1000000000000"},
           {{"--per", "grp"},
            "--per grp: runs.csv has no column 'grp', so the fit would select by nothing; use one of: group, "
            "seen, size, val_loss"}}) {
    std::vector<std::string> words{"fit", "chinchilla", "runs.csv"};
    words.insert(words.end(), row.flags.begin(), row.flags.end());
    const auto output = bitlaw(words);
    CHECK(output.exit_code == 2);
    CHECK(output.error == row.message + "\n");
    CHECK(output.out == "");
  }
}

}  // namespace
}  // namespace bitlaw
