// Laws of whole curves from the command line: schedules, sums over steps, test curves.
#include <cmath>
#include <regex>

#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;

constexpr double kPeak = 0.01;

/// A warm-up of 20 steps from 0, then the peak, from step 60 a straight line to a tenth at step 200.
double linear_rate(int step) {
  if (step < 20) return kPeak * step / 19;
  return step <= 60 ? kPeak : kPeak * (1 - 0.9 * (step - 60) / 140);
}
double constant_rate(int step) { return step < 20 ? kPeak * step / 19 : kPeak; }

using Rate = double (*)(int);

/// L = 2 + 0.5 S1^-0.4 - 3 S2 by the double sum that defines S2, warm-up as it is.
double annealing_loss(Rate rate, int step, double lambda) {
  double s1 = 0, s2 = 0;
  for (int i = 0; i <= step; ++i) {
    s1 += rate(i);
    for (int k = 1; k <= i; ++k) s2 += (rate(k - 1) - rate(k)) * std::pow(lambda, i - k);
  }
  return 2 + 0.5 * std::pow(s1, -0.4) - 3 * s2;
}

/// L = 2 + 0.5 S1^-0.4 - 40 sum (1 - (1 + 2 rate^-0.6 S)^-0.5), by the definition.
double multi_power_loss(Rate rate, int step) {
  double s1 = 0, gain = 0;
  for (int i = 0; i <= step; ++i) s1 += rate(i);
  double before = rate(0);
  for (int k = 1; k <= step; ++k) {
    gain += (rate(k - 1) - rate(k)) * (1 - std::pow(1 + 2 * std::pow(rate(k), -0.6) * (s1 - before), -0.5));
    before += rate(k);
  }
  return 2 + 0.5 * std::pow(s1, -0.4) - 40 * gain;
}

template <typename LossOf>
std::string curve(Rate rate, int every, const LossOf& loss_of) {
  std::string text = "step,rate,loss\n";
  for (int step = 0; step <= 200; step += every) {
    text += fmt::format("{},{},{}\n", step, rate(step), step < 30 ? "" : fmt::format("{}", loss_of(rate, step)));
  }
  return text;
}

json fit_of(Program& bitlaw, std::vector<std::string> words) {
  words.insert(words.begin(), "fit");
  words.insert(words.end(), {"--bootstrap", "0", "--json"});
  const auto output = bitlaw(words);
  CAPTURE(output.error);
  REQUIRE(output.exit_code == 0);
  return json::parse(output.out);
}

void check_annealing(const json& fit) {
  CHECK(fit["parameters"]["L_0"]["estimate"].get<double>() == doctest::Approx(2).epsilon(1e-6));
  CHECK(fit["parameters"]["A"]["estimate"].get<double>() == doctest::Approx(0.5).epsilon(1e-6));
  CHECK(fit["parameters"]["alpha"]["estimate"].get<double>() == doctest::Approx(0.4).epsilon(1e-6));
  CHECK(fit["parameters"]["C"]["estimate"].get<double>() == doctest::Approx(3).epsilon(1e-6));
}

const std::string kLinear = "linear:peak=0.01,end=0.001,warmup=20,decay_from=60,steps=200";
const std::string kConstant = "constant:peak=0.01,warmup=20,steps=200";

TEST_CASE("bitlaw fit annealing: the learning rates of every step, or a schedule where a file has some") {
  Program bitlaw;
  const auto loss = [](Rate rate, int step) { return annealing_loss(rate, step, 0.98); };
  bitlaw.folder().write("linear.csv", curve(linear_rate, 1, loss));
  bitlaw.folder().write("constant.csv", curve(constant_rate, 1, loss));
  bitlaw.folder().write("linear_some.csv", curve(linear_rate, 10, loss));
  bitlaw.folder().write("constant_some.csv", curve(constant_rate, 10, loss));
  const std::vector<std::string> settings{"--map", "lr=rate", "--set", "lambda=0.98", "--set", "warmup=real_ramp"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "annealing");
    words.insert(words.end(), settings.begin(), settings.end());
    return fit_of(bitlaw, words);
  };
  const json whole = with({"linear.csv", "constant.csv"});
  check_annealing(whole);
  CHECK(whole["n"] == 342);
  CHECK(whole["metrics"]["linear"]["n"] == 171);
  CHECK(whole["equation"] == "L = L_0 + A S1^-alpha - C S2, S2 formed with lambda = 0.98, warmup = real_ramp");
  check_annealing(with({"linear_some.csv", "constant_some.csv", "--schedule", kLinear, "--schedule", kConstant}));
  check_annealing(with({"linear_some.csv", "constant_some.csv", "--schedule", "linear.csv", "--schedule", kConstant}));
  const json tested =
      with({"linear_some.csv", "--schedule", kLinear, "--schedule", kConstant, "--test", "constant.csv"});
  CHECK(tested["metrics"]["test"]["mae"].get<double>() < 1e-5);
  CHECK(tested["metrics"]["constant"]["n"] == 171);
}

TEST_CASE("bitlaw fit annealing: of several lambdas the one that fits best is taken") {
  Program bitlaw;
  const auto loss = [](Rate rate, int step) { return annealing_loss(rate, step, 0.95); };
  bitlaw.folder().write("linear.csv", curve(linear_rate, 1, loss));
  bitlaw.folder().write("constant.csv", curve(constant_rate, 1, loss));
  const json fit = fit_of(bitlaw, {"annealing", "linear.csv", "constant.csv", "--map", "lr=rate", "--set",
                                   "lambda=0.9,0.95,0.99", "--set", "warmup=real_ramp"});
  check_annealing(fit);
  CHECK(fit["equation"].get<std::string>().find("lambda = 0.95,") != std::string::npos);
}

TEST_CASE("bitlaw fit annealing: curves of equal file names are runs of their own, called by their folders, too") {
  Program bitlaw;
  const auto loss = [](Rate rate, int step) { return annealing_loss(rate, step, 0.98); };
  std::vector<std::string> words{"annealing", "--map", "lr=rate", "--set", "lambda=0.98", "--set", "warmup=real_ramp"};
  for (const std::string folder : {"a", "b", "c", "d", "e", "f"}) {
    std::filesystem::create_directories(bitlaw.folder().path() / "runs" / folder);
    words.push_back("runs/" + folder + "/curve.csv");
    bitlaw.folder().write(words.back(), curve(folder < "d" ? linear_rate : constant_rate, 1, loss));
  }
  bitlaw.folder().write("other.csv", curve(linear_rate, 1, loss));
  bitlaw.folder().write("other.tsv", std::regex_replace(curve(linear_rate, 1, loss), std::regex(","), "\t"));
  words.insert(words.end(), {"other.csv", "--test", "./runs/f/../other.csv", "--test", "other.tsv"});
  std::filesystem::copy_file(bitlaw.folder() / "other.csv", bitlaw.folder() / "runs/other.csv");
  const json fit = fit_of(bitlaw, words);
  check_annealing(fit);
  for (const char* name : {"a/curve", "f/curve", "runs/other", "other.csv", "other.tsv"})
    CHECK(fit["metrics"][name]["n"] == 171);
  CHECK(fit["degrees_of_freedom"] == 7 - 4);  // runs less parameters
  for (const json& warning : fit["warnings"]) {
    CHECK(warning.get<std::string>().find("losses come from") == std::string::npos);
  }
}

TEST_CASE("bitlaw fit multi_power: finds planted losses again and predicts a curve that it has not seen") {
  Program bitlaw;
  bitlaw.folder().write("linear.csv", curve(linear_rate, 2, multi_power_loss));
  bitlaw.folder().write("constant.csv", curve(constant_rate, 2, multi_power_loss));
  const json fit = fit_of(bitlaw, {"multi_power", "linear.csv", "constant.csv", "--where", "step < 180", "--schedule",
                                   kLinear, "--schedule", kConstant, "--schedule", kLinear, "--test", "linear.csv"});
  CHECK(fit["n"] == 2 * 75);
  CHECK(fit["metrics"]["train"]["rmse"].get<double>() < 1e-6);
  CHECK(fit["metrics"]["test"]["r2"].get<double>() > 0.999999);
  const auto output = bitlaw({"evaluate", "multi_power", "linear.csv", "--schedule", kLinear, "--params",
                              "L_0=2,A=0.5,alpha=0.4,B=40,C=2,beta=0.5,gamma=0.6", "--json"});
  REQUIRE(output.exit_code == 0);
  CHECK(json::parse(output.out)["metrics"]["data"]["relative_worst"].get<double>() < 1e-8);
}

TEST_CASE("bitlaw fit: what is wrong with a curve is told") {
  const std::string some = curve(linear_rate, 10, multi_power_loss);
  check_refused(
      {"fit", "annealing", "c.csv", "--map", "lr=rate"},
      "c.csv: has no learning rate for step 1 of 200, and sums over steps need all of them; give the whole "
      "schedule with --schedule cosine:peak=3e-4,end=3e-5,warmup=2160,steps=24000 or --schedule FILE, a table "
      "of every step",
      {{"c.csv", some}});
  check_refused({"fit", "multi_power", "c.csv", "--schedule", "cosine:peak=1,steps=100"},
                "c.csv: step 200 is beyond the schedule, which ends at 100; correct the schedule or leave the row out, "
                "--where 'step < 101'",
                {{"c.csv", some}});
  check_refused({"fit", "multi_power", "c.csv", "--schedule", "cosin:peak=1"},
                "--schedule cosin:peak=1: 'cosin' is no shape, did you mean 'cosine'?; write for example "
                "cosine:peak=3e-4,end=3e-5,warmup=2160,steps=24000",
                {{"c.csv", some}});
  check_refused({"fit", "multi_power", "c.csv", "--schedule", "linear:peak=1,decay_from=100"},
                "curve c: its learning rate is 0 at step 200, of which the multi-power law has no power; leave out its "
                "end or give the last positive rate",
                {{"c.csv", some}});
  check_refused({"fit", "annealing", "c.csv", "--set", "warmup=none", "--schedule", kLinear},
                "--set warmup=none: is no way to count the warm-up; write as_peak, real_ramp or area_only",
                {{"c.csv", some}});
  check_refused({"fit", "annealing", "start.csv", "--map", "lr=rate", "--set", "warmup=real_ramp"},
                "start.csv: observation start step 0: law 'annealing' takes the logarithm of an input and there is "
                "none at S1 = 0, S2 = 0, so the law has no value; leave the row out",
                {{"start.csv", "step,rate,loss\n0,0,11\n1,0.1,10\n2,0.2,9\n3,0.2,8\n4,0.2,7\n"}});
  check_refused(
      {"fit", "chinchilla", "c.csv", "--schedule", kLinear},
      "--schedule " + kLinear + ": 'chinchilla' is fitted to rows, not to curves, so it would be ignored; leave it out",
      {{"c.csv", some}});
}

}  // namespace
}  // namespace bitlaw
