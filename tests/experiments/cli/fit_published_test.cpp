// Published fits, each by the command line that a user would type.
#include <cmath>

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
  const std::vector<std::string> fit{"fit"}, test_flag{"--test"};

  // Luo et al. 2025, README of the authors' code: means over the six test curves.
  const json printed = answer(std::vector<std::string>{"evaluate", "multi_power"} + test + test_schedules +
                              std::vector<std::string>{"--where", "step < 72000", "--published", "25M"});
  const json& mean = printed["metrics"]["data_mean_of_curves"];
  CHECK(std::abs(mean["r2"].get<double>() - .9988) < 0.51e-4);
  CHECK(std::abs(mean["mae"].get<double>() - .00376) < 0.51e-5);
  CHECK(std::abs(mean["rmse"].get<double>() - .00465) < 0.51e-5);
  CHECK(std::abs(mean["relative_mean"].get<double>() - .00110) < 0.51e-5);
  CHECK(std::abs(mean["relative_worst"].get<double>() - .00409) < 0.51e-5);

  const json multi_power = answer(fit + std::vector<std::string>{"multi_power"} + train +
                                  std::vector<std::string>{"--where", "step < 24000", "--bootstrap", "0"});
  CHECK(multi_power["objective"].get<double>() <= 1.3843201e-4 * kBest);

  // The annealing law: 0.999 with both conventions, and 0.995 without the rises of the warm-up.
  struct Row {
    const char *lambda, *warmup;
    double best, r2;
  };
  for (const Row& row : {Row{"0.999", "as_peak", 3.873062e-4, .9933}, Row{"0.999", "real_ramp", 2.263125e-4, .9976},
                         Row{"0.995", "area_only", 1.9530597e-4, .9980}}) {
    CAPTURE(row.warmup);
    const json annealing = answer(fit + std::vector<std::string>{"annealing"} + train + test_schedules +
                                  std::vector<std::string>{"--where", "step < 24000 or lr > 0 and step < 72000",
                                                           "--where", "step < 24000 or step > 24000", "--bootstrap",
                                                           "0", "--set", fmt::format("lambda={}", row.lambda), "--set",
                                                           fmt::format("warmup={}", row.warmup), "--test"} +
                                  test);
    CHECK(annealing["objective"].get<double>() <= row.best * kBest);
    CHECK(std::abs(annealing["metrics"]["test_mean_of_curves"]["r2"].get<double>() - row.r2) < 1.01e-4);
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

TEST_CASE("bitlaw fit: regressions of compute-optimal sizes on compute, Porian et al.") {
  const std::string pairs = reference_data("porian-rw/optimal_pairs.csv");
  if (pairs.empty()) return;
  const auto published = open_table(reference_data("porian-rw/published_fits.csv"));
  const auto text = [&](const char* name) { return published->text(published->index_of(name)); };
  int compared = 0;
  while (published->next()) {
    if (text("fit") != "basic") continue;
    const json fit = answer({"fit", "--formula", "K * C^a", pairs, "--map", "C=flops,loss=n_opt", "--objective",
                             "least_squares", "--parameter", "K={lower: 1e-30, linear: true, starts: [1]}", "--where",
                             fmt::format("file == '{}' and row == {}", text("file"), text("row")), "--bootstrap", "0"});
    CAPTURE(text("file"));
    const double exponent = published->number(published->index_of("n_exponent"));
    CHECK(std::abs(fit["parameters"]["a"]["estimate"].get<double>() - exponent) < 0.5e-6);
    ++compared;
  }
  CHECK(compared == 10);
}

TEST_CASE("bitlaw fit: learning curves of language models extrapolate as published") {
  const std::string file = reference_data("revisiting-nsl-lang/benchmark.lang.csv");
  if (file.empty()) return;
  const std::vector<std::string> rows{"epsilon_4",   file,
                                      "--map",       "x=Seen Examples,loss=Loss",
                                      "--where",     "Domain == 'LM' and Model == '1.07e+09'",
                                      "--seeds",     "mean",
                                      "--objective", "least_squares"};
  Program bitlaw;
  const auto run = [&](const std::vector<std::string>& words) {
    const auto output = bitlaw(words);
    CAPTURE(output.error);
    REQUIRE(output.exit_code == 0);
    return output.out;
  };
  run(std::vector<std::string>{"fit"} + rows +
      std::vector<std::string>{"--where", "Training == 1", "--bootstrap", "0", "--json", "fit.json"});
  const json score =
      json::parse(run(std::vector<std::string>{"evaluate"} + rows +
                      std::vector<std::string>{"--where", "Training == 0", "--params", "fit.json", "--json"}));
  CHECK(score["metrics"]["data"]["n"] == 10);  // each point stands four times in the file
  CHECK(score["metrics"]["data"]["log_rmse"].get<double>() < .0025);
}

}  // namespace
}  // namespace bitlaw
