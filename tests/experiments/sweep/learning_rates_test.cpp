#include "experiments/sweep/learning_rates.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "core/base/error.h"
#include "experiments/sweep/experiment.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {
namespace {

constexpr double kPeak = 0.25;
constexpr int kSteps = 400, kWarmup = 25;

/// The rates of a run that is planned from this text, by the record that it will have.
std::vector<double> rates_of(const TemporaryFolder& folder, const std::string& schedule) {
  const auto file = folder.write("x.yaml", fmt::format("experiment: x\n"
                                                       "corpus: {{kind: synthetic, vocabulary: 16, length: 4096}}\n"
                                                       "model: {{layers: 1, width: 16, heads: 1, context: 16}}\n"
                                                       "training: {{tokens: {}, batch: 4, eval_tokens: 64, optimizer: "
                                                       "{{learning_rate: {}}}, schedule: {{{}}}}}\n",
                                                       64 * kSteps, kPeak, schedule));
  return learning_rates(planned_record(plan_experiment(file).runs.front()));
}

double sum(const std::vector<double>& rates) { return std::accumulate(rates.begin(), rates.end(), 0.0); }

// The warm-up's rates are 1/w .. w/w of the peak, which is (w + 1) / 2 in all. Of the n others, a line's mean is the
// mean of its ends; so is a cosine's, since cos(pi u) and cos(pi (1 - u)) cancel.
TEST_CASE("learning rates of a record: the area of cosine and line is that of their closed form") {
  const TemporaryFolder folder;
  for (const std::string kind : {"cosine", "linear"}) {
    for (const double last : {0.0, 0.1, 0.5}) {
      CAPTURE(kind);
      CAPTURE(last);
      const auto rates = rates_of(folder, fmt::format("kind: {}, warmup_steps: {}, final: {}", kind, kWarmup, last));
      REQUIRE(rates.size() == kSteps);
      const double expected = kPeak * ((kWarmup + 1) / 2.0 + (kSteps - kWarmup) * (1 + last) / 2);
      CHECK(sum(rates) == doctest::Approx(expected).epsilon(1e-12));
      const double middle = rates[kWarmup + (kSteps - 1 - kWarmup) / 4], u = 93.0 / 374;
      const double shape = kind == "cosine" ? (1 + std::cos(std::numbers::pi * u)) / 2 : 1 - u;
      CHECK(middle == doctest::Approx(kPeak * (last + (1 - last) * shape)).epsilon(1e-12));
    }
  }
}

TEST_CASE("learning rates of a record: defaults, lists and fractions are what the YAML meant") {
  const TemporaryFolder folder;
  const auto steps = rates_of(folder, "kind: multi_step, warmup: 0, milestones: [0.25, 0.75], gamma: 0.5");
  CHECK(steps[0] == kPeak);
  CHECK(steps[99] == kPeak);
  CHECK(steps[101] == kPeak / 2);
  CHECK(steps[299] == kPeak / 2);
  CHECK(steps[301] == kPeak / 4);
  const auto wsd = rates_of(folder, "kind: wsd, warmup: 0.1, decay_steps: 100, final: 0, decay_shape: one_minus_sqrt");
  CHECK(wsd[39] == kPeak);
  CHECK(wsd[299] == kPeak);
  CHECK(wsd[399] == 0);
  CHECK(wsd[1] == doctest::Approx(kPeak * 2 / 40));
}

TEST_CASE("learning rates of a record: a schedule's file counts, and only as it was") {
  const TemporaryFolder folder;
  folder.write("s.csv", "0,1\n399,0\n");
  const auto file =
      folder.write("x.yaml", fmt::format("experiment: x\n"
                                         "corpus: {{kind: synthetic, vocabulary: 16, length: 4096}}\n"
                                         "model: {{layers: 1, width: 16, heads: 1, context: 16}}\n"
                                         "training: {{tokens: {}, batch: 4, eval_tokens: 64, optimizer: "
                                         "{{learning_rate: {}}}, schedule: {{kind: file, file: s.csv}}}}\n",
                                         64 * kSteps, kPeak));
  const RunRecord record = planned_record(plan_experiment(file).runs.front());
  CHECK(sum(learning_rates(record)) == doctest::Approx(kPeak * kSteps / 2).epsilon(1e-12));
  folder.write("s.csv", "0,1\n399,0.5\n");
  CHECK_THROWS_WITH_AS(learning_rates(record), doctest::Contains("is not what the run was trained with"), InputError);
  std::filesystem::remove(folder / "s.csv");
  CHECK_THROWS_WITH_AS(learning_rates(record), doctest::Contains("s.csv"), InputError);
}

TEST_CASE("learning rates of a record: one without a schedule is refused") {
  RunRecord record;
  record.run_id = "00aa1234567";
  CHECK_THROWS_WITH_AS(learning_rates(record), doctest::Contains("run 00aa1234: its configuration says no schedule"),
                       InputError);
}

}  // namespace
}  // namespace bitlaw
