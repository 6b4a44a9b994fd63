// Published fits, each by the command line that a user would type.
#include <cmath>
#include <fstream>
#include <map>

#include "core/record/table_rows.h"
#include "tests/experiments/cli/program.h"
#include "tests/support/reference_data.h"

namespace bitlaw {
namespace {

using nlohmann::json;

/// What `bitlaw WORDS --json` prints.
json answer(std::vector<std::string> words) {
  Program bitlaw;
  words.emplace_back("--json");
  const auto output = bitlaw(words);
  CAPTURE(output.error);
  REQUIRE(output.exit_code == 0);
  return json::parse(output.out);
}

std::vector<std::string> operator+(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

constexpr double kBest = 1 + 1e-6;

TEST_CASE("bitlaw fit: Chinchilla's points") {
  const std::string file = reference_data("chinchilla-epoch/chinchilla_ND_loss.csv");
  if (file.empty()) return;
  const std::vector<std::string> rows{"chinchilla", file, "--where", "fit_subset == 1", "--huber", "1e-3"};
  const std::vector<std::string> fit{"fit"}, evaluate{"evaluate"};
  // Besiroglu et al. 2024, arXiv:2404.10102: cell 18 of their notebook, seven digits of the coefficients.
  const json published =
      answer(evaluate + rows +
             std::vector<std::string>{"--params", "A=477.8417,B=2143.8638,E=1.8172355,alpha=0.3473127,beta=0.3671827"});
  CHECK(published["objective"].get<double>() == doctest::Approx(0.0010182740346).epsilon(1e-8));
  const json hoffmann = answer(
      evaluate + rows + std::vector<std::string>{"--params", "A=406.4,B=410.7,E=1.6934,alpha=0.3392,beta=0.2849"});
  CHECK(std::abs(hoffmann["objective"].get<double>() - 0.00123531) < 0.51e-8);
  const json best = answer(fit + rows + std::vector<std::string>{"--bootstrap", "0"});
  CHECK(best["objective"].get<double>() <= 0.0010182740178 * kBest);
  const json all = answer({"fit", "chinchilla", file, "--bootstrap", "0"});
  CHECK(all["objective"].get<double>() <= 0.00182601052 * kBest);
  CHECK(std::abs(all["parameters"]["beta"]["estimate"].get<double>() - .453) < 0.51e-3);
  const std::vector<std::string> likelihood{"chinchilla",      file,          "--where",
                                            "fit_subset == 1", "--objective", "huber_likelihood"};
  const json scaled = answer(evaluate + likelihood + std::vector<std::string>{"--published", "besiroglu"});
  // A separate computation in Python; the notebook prints -879.773139 beside logarithms of nine digits.
  CHECK(std::abs(scaled["objective"].get<double>() + 879.773130849) < 0.51e-8);
  CHECK(answer(fit + likelihood + std::vector<std::string>{"--bootstrap", "0"})["objective"].get<double>() <=
        -879.7731390602 + 1e-6);
}

TEST_CASE("bitlaw fit: Gemstones, both thresholds, at the printed coefficients and at the optimum") {
  const std::string file = reference_data("gemstones-cool_end/gemstones_cool_end.csv");
  if (file.empty()) return;
  struct Row {
    const char *delta, *params;
    double printed, best;
  };
  const auto params = [](double alpha, double beta, double log_a, double log_b, double log_e) {
    return fmt::format("alpha={},beta={},A={},B={},E={}", alpha, beta, std::exp(log_a), std::exp(log_b),
                       std::exp(log_e));
  };
  const std::string first = params(0.3002728205, 0.580241077, 5.419716037, 12.51389987, 0.7297863295);
  const std::string second = params(0.2970133066, 0.6903991635, 5.36279621, 14.97176775, 0.7458889548);
  for (const Row& row : {Row{"1e-3", first.c_str(), 0.0019640865, 0.001964086431},
                         Row{"1e-4", second.c_str(), 0.0002059406, 0.000204779068}}) {
    const std::vector<std::string> rows{
        "chinchilla", file, "--map", "N=params_active_precise,D=tokens,loss=final_loss", "--huber", row.delta};
    const json printed =
        answer(std::vector<std::string>{"evaluate"} + rows + std::vector<std::string>{"--params", row.params});
    CHECK(std::abs(printed["objective"].get<double>() - row.printed) < 0.51e-10);  // ten printed decimals
    const json best = answer(std::vector<std::string>{"fit"} + rows + std::vector<std::string>{"--bootstrap", "0"});
    CHECK(best["objective"].get<double>() <= row.best * kBest);
  }
}

TEST_CASE("bitlaw fit: laws of the learning rate on the 25M model, its test curves") {
  const std::filesystem::path folder = reference_data("multipowerlaw-25M/README.md").parent_path();
  if (folder.empty()) return;
  const auto file = [&](const char* name) { return (folder / name).string() + ".csv"; };
  const std::string cosine = "cosine:peak=3e-4,end=3e-5,warmup=2160,steps=",
                    constant = "constant:peak=3e-4,warmup=2160,steps=";
  const auto two = [](const char* end) {
    return fmt::format("two_stage:peak=3e-4,end={},warmup=2160,decay_from=8000,steps=16000", end);
  };
  const auto decay = [](const char* shape) {
    return fmt::format("{}:peak=3e-4,end=3e-5,warmup=2160,decay_from=20000,steps=24000", shape);
  };
  const std::vector<std::string> train{file("cosine_24000"), file("constant_24000"), file("wsdcon_9"),
                                       "--schedule",         cosine + "24000",       "--schedule",
                                       constant + "24000",   "--schedule",           two("9e-5")};
  const std::vector<std::string> test_schedules{"--schedule", cosine + "72000",     "--schedule", constant + "72000",
                                                "--schedule", decay("exponential"), "--schedule", decay("linear"),
                                                "--schedule", two("3e-5"),          "--schedule", two("18e-5")};
  const std::vector<std::string> test{file("cosine_72000"),      file("constant_72000"), file("wsd_20000_24000"),
                                      file("wsdld_20000_24000"), file("wsdcon_3"),       file("wsdcon_18")};

  // Luo et al. 2025, README of the authors' code: means over the six test curves.
  const json printed = answer(std::vector<std::string>{"evaluate", "multi_power"} + test + test_schedules +
                              std::vector<std::string>{"--where", "step < 72000", "--published", "25M"});
  const json& mean = printed["metrics"]["data_mean_of_curves"];
  CHECK(std::abs(mean["r2"].get<double>() - .9988) < 0.51e-4);
  CHECK(std::abs(mean["mae"].get<double>() - .00376) < 0.51e-5);
  CHECK(std::abs(mean["rmse"].get<double>() - .00465) < 0.51e-5);
  CHECK(std::abs(mean["relative_mean"].get<double>() - .00110) < 0.51e-5);
  CHECK(std::abs(mean["relative_worst"].get<double>() - .00409) < 0.51e-5);

  // On the training curves, at the same coefficients: a separate computation in Python.
  const json at_printed = answer(std::vector<std::string>{"evaluate", "multi_power"} + train +
                                 std::vector<std::string>{"--where", "step < 24000", "--published", "25M"});
  CHECK(at_printed["objective"].get<double>() == doctest::Approx(2.9122304e-4).epsilon(1e-7));

  // Means over the six test curves; the last row of each curve of 24,000 steps is left out, as there.
  struct Errors {
    double r2, mae, rmse, relative_mean, relative_worst;
  };
  const auto check_errors = [](const json& mean_of_curves, const Errors& expected) {
    const auto off = [&](const char* name, double value) {
      return std::abs(mean_of_curves[name].get<double>() - value);
    };
    CHECK(off("r2", expected.r2) < 0.51e-4);
    CHECK(off("mae", expected.mae) < 0.51e-5);
    CHECK(off("rmse", expected.rmse) < 0.51e-5);
    if (expected.relative_mean > 0) CHECK(off("relative_mean", expected.relative_mean) < 0.51e-5);
    if (expected.relative_worst > 0) CHECK(off("relative_worst", expected.relative_worst) < 0.51e-5);
  };
  const std::vector<std::string> tested =
      train + test_schedules + std::vector<std::string>{"--where",     "step < 24000 or lr > 0 and step < 72000",
                                                        "--where",     "step < 24000 or step > 24000",
                                                        "--bootstrap", "0",
                                                        "--test"} +
      test;
  const json multi_power = answer(std::vector<std::string>{"fit", "multi_power"} + tested);
  CHECK(multi_power["objective"].get<double>() <= 1.3843201e-4 * kBest);
  check_errors(multi_power["metrics"]["test_mean_of_curves"], {.9976, .00462, .00542, 0, 0});

  // The annealing law: 0.999 with both conventions, and 0.995 without the rises of the warm-up.
  struct Row {
    const char *lambda, *warmup;
    double best, floor, a, c, alpha;
    Errors errors;
  };
  const Row rows[]{
      {"0.999", "as_peak", 3.873062e-4, 3.24667, .54268, .39168, .82556, {.9933, .00732, .01036, .00212, .01421}},
      {"0.999", "real_ramp", 2.263125e-4, 3.06795, .49125, .39768, .57145, {.9976, .00516, .00661, .00152, .00586}},
      {"0.995", "area_only", 1.9530597e-4, 3.14908, .52409, 1.9133, .50054, {.9980, 0, 0, 0, 0}}};
  for (const Row& row : rows) {
    CAPTURE(row.warmup);
    const json annealing = answer(std::vector<std::string>{"fit", "annealing"} + tested +
                                  std::vector<std::string>{"--set", fmt::format("lambda={}", row.lambda), "--set",
                                                           fmt::format("warmup={}", row.warmup)});
    CHECK(annealing["objective"].get<double>() <= row.best * kBest);
    const auto value = [&](const char* name) { return annealing["parameters"][name]["estimate"].get<double>(); };
    CHECK(value("L_0") == doctest::Approx(row.floor).epsilon(1e-5));
    CHECK(value("A") == doctest::Approx(row.a).epsilon(2e-5));
    CHECK(value("C") == doctest::Approx(row.c).epsilon(3e-5));
    CHECK(value("alpha") == doctest::Approx(row.alpha).epsilon(2e-5));
    const json& mean_of_curves = annealing["metrics"]["test_mean_of_curves"];
    if (row.errors.mae > 0) {
      check_errors(mean_of_curves, row.errors);
    } else {
      CHECK(std::abs(mean_of_curves["r2"].get<double>() - row.errors.r2) < 0.51e-4);
    }
  }
  const double scan[][2]{{.95, 4.271e-4}, {.99, 4.125e-4}, {.995, 3.957e-4}, {.9995, 4.567e-4}};
  for (const auto& [lambda, objective] : scan) {
    const json annealing =
        answer(std::vector<std::string>{"fit", "annealing"} + train +
               std::vector<std::string>{"--where", "step < 24000", "--bootstrap", "0", "--set",
                                        fmt::format("lambda={}", lambda), "--set", "warmup=as_peak"});
    CHECK(std::abs(annealing["objective"].get<double>() - objective) < 0.51e-7);  // four digits
  }
}

TEST_CASE("bitlaw fit: the over-training law on five small models, its errors on two large ones") {
  const std::string file = reference_data("gadre-rpj/gadre_rpj.csv");
  if (file.empty()) return;
  const std::vector<std::string> law{"over_training", file,         "--map", "loss=loss_c4_val", "--objective",
                                     "least_squares", "--residual", "plain"};
  const json fit =
      answer(std::vector<std::string>{"fit"} + law +
             std::vector<std::string>{"--where", "M == 20 and N < 5e8 or M == 320 and N < 2e7", "--bootstrap", "0"});
  const auto value = [&](const char* name) { return fit["parameters"][name]["estimate"].get<double>(); };
  CHECK(fit["n"] == 5);
  CHECK(value("a") == doctest::Approx(166.211).epsilon(1e-5));
  CHECK(value("b") == doctest::Approx(366.687).epsilon(1e-5));
  CHECK(value("eta") == doctest::Approx(.272851).epsilon(1e-5));
  CHECK(value("E") == doctest::Approx(1.836648).epsilon(1e-6));
  const std::string params = fmt::format("a={},b={},eta={},E={}", value("a"), value("b"), value("eta"), value("E"));
  struct Row {
    const char* where;
    double percent;
  };
  for (const Row& row : {Row{"N > 1e9 and M == 640", .7103}, Row{"N > 5e9 and M == 20", .7320}}) {
    const json large = answer(std::vector<std::string>{"evaluate"} + law +
                              std::vector<std::string>{"--params", params, "--where", row.where});
    CHECK(std::abs(100 * large["metrics"]["data"]["relative_worst"].get<double>() - row.percent) < 0.51e-4);
  }
}

TEST_CASE("bitlaw fit: regressions of compute-optimal sizes on compute, Porian et al., without and with weights") {
  const std::filesystem::path pairs = reference_data("porian-rw/optimal_pairs.csv");
  if (pairs.empty()) return;
  // The published pairs, with 1 / std^2 as a column.
  Program bitlaw;
  {
    std::ofstream weighted(bitlaw.folder() / "pairs.csv");
    weighted << "file,row,C,n,t,n_weight,t_weight\n";
    const auto table = open_table(pairs);
    const auto number = [&](const char* name) { return table->number(table->index_of(name)); };
    while (table->next()) {
      const double n_std = number("n_star_std"), t_std = number("t_star_std");
      weighted << fmt::format("{},{},{},{},{},{},{}\n", table->text(table->index_of("file")), number("row"),
                              number("flops"), number("n_opt"), number("t_opt"), 1 / (n_std * n_std),
                              1 / (t_std * t_std));
    }
  }
  const auto published = open_table(reference_data("porian-rw/published_fits.csv"));
  const auto text = [&](const char* name) { return published->text(published->index_of(name)); };
  int compared = 0;
  while (published->next()) {
    CAPTURE(text("file"));
    CAPTURE(text("fit"));
    const bool weighted = text("fit") == "weighted";
    for (const std::string optimum : {"n", "t"}) {
      const std::string map = fmt::format("C=C,loss={0}{1}", optimum, weighted ? ",weight=" + optimum + "_weight" : "");
      const auto output =
          bitlaw({"fit", "--formula", "K * C^a", "pairs.csv", "--map", map, "--objective", "least_squares",
                  "--parameter", "K={lower: 1e-30, linear: true, starts: [1]}", "--where",
                  fmt::format("file == '{}' and row == {}", text("file"), text("row")), "--bootstrap", "0", "--json"});
      CAPTURE(output.error);
      REQUIRE(output.exit_code == 0);
      const json fit = json::parse(output.out)["parameters"];
      const auto expected = [&](const char* what) {
        return published->number(published->index_of(optimum + "_" + what));
      };
      CHECK(std::abs(fit["a"]["estimate"].get<double>() - expected("exponent")) < 0.5e-6);
      CHECK(fit["K"]["estimate"].get<double>() == doctest::Approx(expected("coef")).epsilon(1e-5));
      ++compared;
    }
  }
  CHECK(compared == 40);
}

TEST_CASE("bitlaw isoflop: the exponents of Porian et al. from their raw points, for five settings") {
  const std::string points = reference_data("porian-rw/isoflop_points.csv");
  if (points.empty()) return;
  // Theirs are of the medians of 1000 sets with noise added, on a grid of sizes, with standard errors of 0.003 to
  // 0.013.
  std::map<std::string, double> published;
  const auto fits = open_table(reference_data("porian-rw/published_fits.csv"));
  while (fits->next()) {
    if (fits->text(fits->index_of("file")) != "summary_df" || fits->text(fits->index_of("fit")) != "basic") continue;
    published["isoflop_" + fits->text(fits->index_of("row"))] = fits->number(fits->index_of("n_exponent"));
  }
  const json found =
      answer({"isoflop", points, "--map", "C=flops", "--where", "file=summary_df", "--per", "row"})["frontiers"];
  REQUIRE(found.size() == 5);
  for (const json& frontier : found) {
    const std::string name = frontier["name"].get<std::string>();
    CAPTURE(name);
    CHECK(std::abs(frontier["params"]["exponent"].get<double>() - published.at(name)) < 0.003);
  }
}

TEST_CASE("bitlaw fit: a learning curve of a language model extrapolates as published") {
  const std::string file = reference_data("revisiting-nsl-lang/benchmark.lang.csv");
  if (file.empty()) return;
  const std::vector<std::string> model{
      "--where", "Domain == 'LM' and Model == '1.07e+09'", "--seeds", "mean", "--objective", "least_squares"};
  const std::vector<std::string> training{"--where", "Training == 1", "--bootstrap", "0"};
  const auto score = [&](const char* law, const std::string& params) {
    const json answered = answer(
        std::vector<std::string>{"evaluate", law, file, "--map", "x=Seen Examples,loss=Loss", "--params", params} +
        model + std::vector<std::string>{"--where", "Training == 0"});
    CHECK(answered["metrics"]["data"]["n"] == 10);  // each point stands four times in the file
    return answered["metrics"]["data"]["log_rmse"].get<double>();
  };
  // Alabdulmohsin et al. 2022 minimize the squares of log(lhs) - log(rhs), both sides with what is fitted: a formula
  // whose values are to be 1, as the column Training is.
  struct Row {
    const char *law, *formula;
    std::vector<std::string> parameters;
    double published;
  };
  const std::string floor = "e={lower: 0, upper: 0.8588, starts: [0.5, 0.7, 0.8]}";  // least loss - 0.001, theirs
  for (const Row& row :
       {Row{"epsilon_2", "(y - e) * x^c / B", {floor}, .0017},
        Row{"epsilon_4",
            "(y - e) * x^c / (B * (z - y)^a)",
            {floor, "z={lower: 1, upper: 10, starts: [1.01, 1.1]}", "a={lower: 0, upper: 20, starts: [0.01, 0.5]}"},
            .0013}}) {
    CAPTURE(row.law);
    std::vector<std::string> bounds;
    for (const std::string& parameter : row.parameters)
      bounds = bounds + std::vector<std::string>{"--parameter", parameter};
    const json fit = answer(std::vector<std::string>{"fit", "--formula", row.formula, file, "--map",
                                                     "x=Seen Examples,y=Loss,loss=Training"} +
                            bounds + model + training)["parameters"];
    const auto value = [&](const char* name) { return fit[name]["estimate"].get<double>(); };
    std::string params = fmt::format("beta={},c={},epsilon_inf={}", value("B"), value("c"), value("e"));
    if (row.parameters.size() > 1) params += fmt::format(",epsilon_0={},alpha={}", value("z"), value("a"));
    CHECK(std::abs(score(row.law, params) - row.published) < 0.51e-4);  // their estimator's score, four decimals
  }
  // Fitted to log loss itself: epsilon_2 ends where scipy's least_squares does, more parameters extrapolate better.
  struct Form {
    const char* law;
    double least, largest;
  };
  for (const Form& form :
       {Form{"epsilon_2", .0018352, .0018354}, Form{"epsilon_3", 0, .0017}, Form{"epsilon_4", 0, .0017}}) {
    CAPTURE(form.law);
    const json fit = answer(std::vector<std::string>{"fit", form.law, file, "--map", "x=Seen Examples,loss=Loss"} +
                            model + training)["parameters"];
    std::string params;
    for (const auto& [name, values] : fit.items()) {
      params += fmt::format("{}{}={}", params.empty() ? "" : ",", name, values["estimate"].get<double>());
    }
    const double scored = score(form.law, params);
    CHECK(scored > form.least);
    CHECK(scored < form.largest);
  }
}

}  // namespace
}  // namespace bitlaw
