#include <cmath>

#include "fitting/laws/law.h"
#include "fitting/laws/multi_power.h"
#include "fitting/laws/schedule_text.h"
#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;

const std::vector<double> kPlantedSchedule{2.6, 0.43, 0.55, 4};  // L_0, A, alpha, C
constexpr double kLambda = 0.95;

json printed(Program& bitlaw, const std::vector<std::string>& words) {
  const auto output = bitlaw(words);
  CHECK(output.error == "");
  REQUIRE(output.exit_code == 0);
  return json::parse(output.out);
}

double loss_of(const Schedule& schedule, std::size_t step) {
  const LearningRateSums sums = learning_rate_sums(schedule, kLambda, Warmup::RealRamp);
  return find_law("annealing").predict(kPlantedSchedule, std::array{sums.s1[step], sums.s2[step]});
}

/// A curve of the planted law with 0.1 % of noise, a row for every step, as `sweep curves` writes them.
std::string curve_csv(const std::string& text) {
  const Schedule schedule = schedule_in(text, 0);
  std::string csv = "step,lr,loss\n";
  for (std::size_t step = 0; step < schedule.size(); ++step) {
    const bool recorded = step >= 60 && step % 20 == 0;
    const double noise = 1e-3 * std::sin(1.7 * static_cast<double>(step * text.size()));
    csv += fmt::format("{},{},{}\n", step, schedule[step],
                       recorded ? fmt::format("{}", loss_of(schedule, step) * (1 + noise)) : "");
  }
  return csv;
}

/// fit.json and fit.h5 of seven curves, three runs more than parameters.
void fit_planted(Program& bitlaw) {
  std::vector<std::string> words{"fit", "annealing"};
  for (const char* shape :
       {"constant:", "cosine:end=1e-3,", "cosine:end=5e-3,", "linear:decay_from=300,", "linear:decay_from=450,",
        "exponential:end=1e-3,decay_from=500,", "two_stage:end=1e-3,decay_from=400,"}) {
    words.push_back(fmt::format("{}.csv", words.size()));
    bitlaw.folder().write(words.back(), curve_csv(fmt::format("{}peak=1e-2,warmup=30,steps=600", shape)));
  }
  const std::vector<std::string> options{"--set",       "lambda=0.95", "--set",  "warmup=real_ramp",
                                         "--where",     "loss > 0",    "--json", "fit.json",
                                         "--bootstrap", "40",          "--hdf5", "fit.h5"};
  words.insert(words.end(), options.begin(), options.end());
  const auto output = bitlaw(words);
  CHECK(output.error == "");
  REQUIRE(output.exit_code == 0);
}

const json& of_shape(const json& answers, const std::string& shape) {
  for (const json& answer : answers) {
    if (answer["shape"] == shape) return answer;
  }
  FAIL(shape << " is not answered");
  return answers[0];
}

TEST_CASE("bitlaw optimum schedule: from a fit, with its lambda and warm-up, intervals hold the planted law's best") {
  Program bitlaw;
  fit_planted(bitlaw);
  // The planted law's best decay with a line to 0.01 of the peak, by trying all.
  int best = 0;
  double least = 1e9;
  for (int decay = 1; decay <= 570; ++decay) {
    const double loss = loss_of(make_schedule({.shape = ScheduleShape::Linear,
                                               .peak = 1e-2,
                                               .end = 1e-4,
                                               .warmup = 30,
                                               .decay_from = 600 - decay,
                                               .steps = 600}),
                                600);
    if (loss >= least) continue;
    least = loss;
    best = decay;
  }
  for (const char* file : {"fit.json", "fit.h5"}) {
    CAPTURE(file);
    const json found = printed(bitlaw, {"optimum", "schedule", file, "--peak", "1e-2", "--warmup", "30", "--steps",
                                        "600", "--shape", "linear", "--json"});
    CHECK(found["law"] == "annealing");
    CHECK(found["sums"] == "S2 formed with lambda = 0.95, warmup = real_ramp");
    const json& line = of_shape(found["schedules"], "linear");
    CHECK(line["decay_interval"][0].get<double>() <= best);
    CHECK(line["decay_interval"][1].get<double>() >= best);
    CHECK(line["decay_interval"][1].get<double>() - line["decay_interval"][0].get<double>() < 0.5 * best);
    CHECK(line["final"].get<double>() == doctest::Approx(0.01));
    CHECK(line["prediction95"][0].get<double>() < least);
    CHECK(line["prediction95"][1].get<double>() > least);
    // The whole curve, by the same law.
    const json curves = printed(bitlaw, {"predict", file, "--schedule", line["schedule"], "--every", "100", "--json"});
    const json& points = curves["curves"][0]["points"];
    REQUIRE(points.size() == 6);
    CHECK(points[5]["prediction"] == line["loss"]);
    CHECK(points[5]["confidence95"] == line["confidence95"]);
    const Schedule schedule = schedule_in(line["schedule"].get<std::string>(), 0);
    for (const json& point : points) {
      const double truth = loss_of(schedule, point["step"].get<std::size_t>());
      CHECK(point["prediction95"][0].get<double>() < truth);
      CHECK(point["prediction95"][1].get<double>() > truth);
    }
  }
}

TEST_CASE("bitlaw optimum schedule: the best of all shapes first, held parts held, the bound below a constant's") {
  Program bitlaw;
  const std::vector<std::string> words{
      "optimum", "schedule",    "annealing", "--params", "L_0=2.6,A=0.43,alpha=0.55,C=4",
      "--set",   "lambda=0.95", "--peak",    "1e-2",     "--warmup",
      "30",      "--steps",     "600",       "--json"};
  const json all = printed(bitlaw, words)["schedules"];
  REQUIRE(all.size() == 7);
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i]["loss"] >= all[i - 1]["loss"]);
  CHECK(all[6]["shape"] == "constant");
  CHECK(all[6]["bound"] == 1);
  CHECK(of_shape(all, "linear")["bound"].get<double>() < 1);
  CHECK(of_shape(all, "free")["loss"].get<double>() ==
        doctest::Approx(of_shape(all, "two_stage")["loss"]).epsilon(1e-6));
  CHECK(all[0]["decay_interval"][0].is_null());  // coefficients without uncertainty
  std::vector<std::string> held = words;
  held.insert(held.end(), {"--decay", "120", "--final", "0.1"});
  const json some = printed(bitlaw, held)["schedules"];
  CHECK(some.size() == 6);
  CHECK(of_shape(some, "linear")["schedule"] == "linear:peak=0.01,end=0.001,warmup=30,decay_from=480,steps=600");
  CHECK(of_shape(some, "cosine")["schedule"] == "cosine:peak=0.01,end=0.001,warmup=30,length=150,steps=600");
}

TEST_CASE("bitlaw optimum schedule --out: a run trains with exactly the rates that were found") {
  Program bitlaw;
  const json found =
      printed(bitlaw, {"optimum", "schedule", "annealing", "--published", "demo", "--set", "lambda=0.8", "--peak",
                       "4e-3", "--warmup", "4", "--steps", "32", "--out", "best.csv", "--json"});
  bitlaw.folder().write(
      "x.yaml",
      "experiment: found\n"
      "corpus: {kind: synthetic, length: 4096}\n"
      "model: {layers: 1, width: 16, context: 16}\n"
      "training: {tokens: 1024, batch: 2, eval_tokens: 64, optimizer: {learning_rate: 4e-3}, schedule: "
      "{kind: file, file: best.csv}}\n"
      "fits: []\n");
  REQUIRE(bitlaw({"run", "x.yaml"}).exit_code == 0);
  REQUIRE(bitlaw({"sweep", "curves", "x.yaml", "--to", "curves"}).exit_code == 0);
  std::string trained;
  for (const auto& file : std::filesystem::directory_iterator(bitlaw.folder() / "curves")) trained = file.path();
  // The curve of what was trained, and that of the file itself, are the curve that was found.
  const std::vector<std::string> law{"predict",    "annealing", "--published", "demo",   "--set",
                                     "lambda=0.8", "--every",   "1",           "--json", "--schedule"};
  std::vector<std::string> of_run = law, of_file = law;
  of_run.push_back(trained);
  of_file.insert(of_file.end(), {"best.csv", "--peak", "4e-3"});
  const json run = printed(bitlaw, of_run)["curves"][0]["points"],
             file = printed(bitlaw, of_file)["curves"][0]["points"];
  REQUIRE(run.size() == 31);  // steps 1 to 31 of 0 to 31
  REQUIRE(file.size() == 31);
  for (std::size_t i = 0; i < 31; ++i) {
    CHECK(run[i]["lr"].get<double>() ==
          doctest::Approx(file[i]["lr"].get<double>()).epsilon(1e-6));  // as the file prints it
  }
  CHECK(file[30]["lr"].get<double>() ==
        doctest::Approx(4e-3 * found["schedules"][0]["final"].get<double>()).epsilon(1e-9));
}

TEST_CASE("bitlaw predict --schedule: the multi-power law's curve, by name and from a table of steps") {
  Program bitlaw;
  const std::string text = "cosine:peak=3e-4,end=3e-5,warmup=2160,steps=24000";
  const Schedule schedule = schedule_in(text, 0);
  std::string csv = "step,lr\n";
  for (std::size_t step = 0; step < schedule.size(); ++step) csv += fmt::format("{},{}\n", step, schedule[step]);
  bitlaw.folder().write("rates.csv", csv);
  const json curves = printed(bitlaw, {"predict", "multi_power", "--published", "25M", "--every", "8000", "--schedule",
                                       text, "--schedule", "rates.csv", "--json"})["curves"];
  const auto exact = multi_power_law({schedule}, RateSum::Exact);
  REQUIRE(curves.size() == 2);
  CHECK(curves[0]["points"] == curves[1]["points"]);
  for (const json& point : curves[0]["points"]) {
    const double step = point["step"];
    CHECK(point["prediction"].get<double>() ==
          doctest::Approx(exact->predict(exact->published()[0].values, std::array{0.0, step})).epsilon(1e-7));
  }
  const json padded = printed(bitlaw, {"predict", "annealing", "--published", "demo", "--schedule",
                                       "two_stage:peak=2e-4,decay_from=900,steps=1000", "--json"});
  CHECK(padded["curves"][0]["notes"][0].get<std::string>().starts_with("The last 101 steps have rate 0"));
}

TEST_CASE("bitlaw optimum schedule, predict --schedule: what has no answer is refused with the reason") {
  const auto refused = [](const std::vector<std::string>& more, const std::string& message) {
    std::vector<std::string> words{"optimum", "schedule"};
    words.insert(words.end(), more.begin(), more.end());
    check_refused(words, message);
  };
  const std::vector<std::string> demo{"annealing", "--published", "demo", "--steps", "2000"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = demo;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  refused(demo,
          "--peak: is not given, and every higher learning rate lowers the loss that the law predicts, without an end, "
          "so none is best; give the peak that is used");
  refused(
      with({"--peak", "2e-4", "--least", "0"}),
      "--least 0: steps with a learning rate of 0 train nothing, but the law says that they lower the loss, since its "
      "annealing area goes on growing, so the best schedule would end in them; give a positive part of the peak, "
      "such as 0.01");
  refused({"multi_power", "--published", "25M", "--steps", "2000", "--peak", "3e-4", "--least", "0"},
          "--least 0: the multi-power law has negative powers of the learning rate, so there is no loss at 0; give a "
          "positive part of the peak, such as 0.01");
  refused({"annealing", "--published", "demo", "--peak", "2e-4"},
          "--steps 0: with a warm-up of 0 there is nothing left to schedule, and more steps always lower the predicted "
          "loss; give the steps that are trained");
  // One drop of 0.99 at the start: L_0 - C 0.99 (1 - 0.999^2000) / 0.001 = 2.6 - 351.7.
  refused(with({"--peak", "1", "--shape", "free"}),
          "the best free schedule has a predicted loss of -349: with a peak of 1 the law leaves what it was fitted to, "
          "where a high rate and a deep decay lower the loss without an end; give a peak that is used");
  refused(with({"--peak", "2e-4", "--shape", "lineer"}),
          "--shape lineer: is no shape of a schedule, did you mean 'linear'?");
  refused(
      with({"--peak", "2e-4", "--shape", "free", "--final", "0.1"}),
      "--shape free: is the schedule with nothing held but the peak and the least rate, so --decay and --final have "
      "no place in it; leave them out");
  refused({"chinchilla", "--published", "hoffmann", "--peak", "1e-3", "--steps", "100"},
          "law 'chinchilla': does not take a learning rate, so no schedule is best; use annealing, annealing_n or "
          "multi_power");
  refused(
      {"multi_power", "--published", "25M", "--peak", "3e-4", "--steps", "100", "--set", "warmup=area_only"},
      "--set warmup=area_only: is about S1 and S2, which this law does not form, so it would be ignored; leave it out");
  check_refused(
      {"predict", "annealing", "--published", "demo", "--schedule", "best.csv"},
      "--schedule best.csv: holds factors on a peak learning rate that it does not say, so no loss follows; add "
      "--peak, or give a table with the columns step and lr",
      {{"best.csv", "step,factor\n0,1\n9,0.1\n"}});
  check_refused({"predict", "annealing", "--published", "demo", "--at", "S1=1,S2=0", "--peak", "1e-3"},
                "--set, --peak, --every: belong to --schedule, which is not given, so they would be ignored; add it");
}

TEST_CASE("bitlaw collapse: says whether curves of two sizes are nearer than seeds of one") {
  Program bitlaw;
  const auto write = [&](const std::string& name, double height, double power) {
    std::string csv = "step,loss\n";
    for (int step = 10; step <= 1000; step += 10) {
      csv += fmt::format("{},{}\n", step, 1.5 + height * std::pow(step / 1000.0, -power));
    }
    bitlaw.folder().write(name, csv + "1005,\n");  // a step without a loss
  };
  write("a1.csv", 0.50, 0.4);
  write("a2.csv", 0.55, 0.4);
  write("b.csv", 1.2, 0.4);
  write("c.csv", 1.2, 0.9);
  const json one = printed(bitlaw, {"collapse", "a=a1.csv,a2.csv", "b=b.csv", "--irreducible", "1.5", "--json"});
  CHECK(one["mean_spread"].get<double>() < 1e-6);
  CHECK(one["mean_noise"].get<double>() == doctest::Approx(0.05 / std::sqrt(2) / 0.525).epsilon(1e-6));
  CHECK(one["below_noise"].get<double>() == doctest::Approx(1));
  const auto other = bitlaw({"collapse", "a=a1.csv,a2.csv", "c=c.csv", "--irreducible", "1.5"});
  CHECK(other.exit_code == 0);
  CHECK(other.out.find("No supercollapse") != std::string::npos);
  check_refused({"collapse", "a=a.csv", "--irreducible", "1"},
                "bitlaw collapse: curves of one size alone cannot collapse on others; give two or more, as "
                "SIZE=FILE,FILE",
                {{"a.csv", "step,loss\n1,3\n2,2\n"}});
  check_refused(
      {"collapse", "a=a.csv", "b=a.csv", "--irreducible", "2"},
      "a.csv: its last loss 2 is not above --irreducible 2, so nothing is left to normalize by; give the E of a "
      "law fitted to these runs",
      {{"a.csv", "step,loss\n1,3\n2,2\n"}});
}

}  // namespace
}  // namespace bitlaw
