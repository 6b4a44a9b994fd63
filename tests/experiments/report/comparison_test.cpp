#include "experiments/report/comparison.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/experiments/report/planted_law.h"

using namespace bitlaw;
using doctest::Approx;

TEST_CASE("penalty: mean, standard error and Student's interval of planted differences") {
  // 24 pairs, half of them 0.04, half 0.06: sd = 0.01 sqrt(24/23), standard error 0.01 / sqrt(23).
  const SweepFile sweep = planted_law();
  const Difference fp4 = paired_difference(sweep.runs, "mxfp4", "float32");
  CHECK(fp4.pairs == 24);
  CHECK(fp4.mean == Approx(0.05).epsilon(1e-9));  // losses near 3 keep 1e-15 of the penalty
  CHECK(fp4.standard_error == Approx(0.01 / std::sqrt(23.0)).epsilon(1e-9));
  // t(0.975, 23) = 2.0687 (printed tables, NIST/SEMATECH e-Handbook §1.3.6.7.2: 2.069)
  CHECK((fp4.high - fp4.mean) / fp4.standard_error == Approx(2.0687).epsilon(1e-4));
  CHECK(fp4.mean - fp4.low == Approx(fp4.high - fp4.mean).epsilon(1e-9));
  CHECK(fp4.measurable());
  CHECK_FALSE(fp4.about_equal());
  CHECK(paired_difference(sweep.runs, "mxfp4", "mxfp8").mean == Approx(0.0495).epsilon(1e-9));
  CHECK(paired_difference(sweep.runs, "float32", "mxfp4").mean == Approx(-0.05).epsilon(1e-9));
}

TEST_CASE("penalty: a filter restricts both sides") {
  const SweepFile sweep = planted_law();
  const auto first_seed = [](const RunRecord& run) { return run.seed == 0; };
  const Difference fp8 = paired_difference(sweep.runs, "mxfp8", "float32", first_seed);
  CHECK(fp8.pairs == 12);
  CHECK(fp8.mean == 0.0);
  CHECK(fp8.standard_error == 0.0);
}

TEST_CASE("penalty: a diverged run makes no pair, and its cell counts it") {
  // Of twelve pairs with 0.04 and now eleven with 0.06: mean (0.48 + 0.66) / 23.
  const SweepFile sweep = planted_law(true);
  const Difference fp4 = paired_difference(sweep.runs, "mxfp4", "float32");
  CHECK(fp4.pairs == 23);
  CHECK(fp4.mean == Approx(1.14 / 23).epsilon(1e-9));
  const Cell cell = cell_of(sweep.runs, [](const RunRecord& run) {
    return run.precision == "mxfp4" && run.params == 300000 && run.tokens == 1048576;
  });
  CHECK(cell.finished == 1);
  CHECK(cell.diverged == 1);
}

TEST_CASE("penalty: runs of another N, D or seed are never compared") {
  SweepFile sweep = planted_law();
  for (RunRecord& run : sweep.runs) {
    if (run.precision == "mxfp4") run.config["training.seed"] = static_cast<std::int64_t>(run.seed + 2);
  }
  CHECK(paired_difference(sweep.runs, "mxfp4", "float32").pairs == 0);
  CHECK(verdict(paired_difference(sweep.runs, "mxfp4", "float32")) ==
        "mxfp4 and float32 have no finished runs that differ in nothing else, so they cannot be compared.");
}

TEST_CASE("penalty: runs at two learning rates pair by rate, and where fp4 diverged at one it is judged at the other") {
  SweepFile sweep = planted_law();
  for (RunRecord& run : sweep.runs) run.config["training.optimizer.learning_rate"] = 1e-3;
  const std::vector<RunRecord> first = sweep.runs;
  for (RunRecord run : first) {
    run.run_id += "-fast";
    run.config["training.optimizer.learning_rate"] = 8e-3;
    run.loss -= 0.5;  // the faster rate is better for all, if it does not diverge
    if (run.precision == "mxfp4") {
      run.diverged = true;
      run.loss = std::numeric_limits<double>::quiet_NaN();
    }
    sweep.runs.push_back(run);
  }
  const Difference fp4 = paired_difference(sweep.runs, "mxfp4", "float32");
  CHECK(fp4.pairs == 24);
  CHECK(fp4.mean == Approx(0.05).epsilon(1e-9));
  CHECK(paired_difference(sweep.runs, "mxfp8", "float32").pairs == 48);
}

TEST_CASE("penalty: of runs that share everything, one that diverged drops the pair") {
  SweepFile sweep = planted_law(true);
  RunRecord again = sweep.runs.back();
  REQUIRE(again.diverged);
  again.diverged = false;
  again.loss = 2.5;
  sweep.runs.push_back(again);
  CHECK(paired_difference(sweep.runs, "mxfp4", "float32").pairs == 23);
}

TEST_CASE("verdict: the four judgements, with their numbers") {
  Difference d;
  d.precision = "fp4", d.reference = "fp8", d.pairs = 9, d.reference_loss = 2.0;  // about equal: within 0.01
  const auto with = [&](double mean, double reach) {
    Difference copy = d;
    copy.mean = mean, copy.standard_error = reach / 2, copy.low = mean - reach, copy.high = mean + reach;
    return verdict(copy);
  };
  CHECK(with(0.1, 0.02) ==
        "fp4 loses measurably more than fp8: +0.1000 ± 0.0100 nat/token (+5.00 %; 95 % interval +0.0800 to +0.1200; 9 "
        "pairs).");
  CHECK(with(-0.1, 0.02).starts_with("fp4 loses measurably less than fp8: -0.1000"));
  CHECK(with(0.001, 0.004).starts_with("fp4 is about equal to fp8 (within 0.5 % of its loss): +0.0010"));
  CHECK(with(0.006, 0.002).starts_with("fp4 is about equal to fp8 (within 0.5 % of its loss, though measurably more)"));
  CHECK(with(0.006, 0.02).starts_with("fp4 cannot be told from fp8 with these runs: +0.0060"));
  d.pairs = 1, d.mean = 0.1;
  CHECK(verdict(d) ==
        "fp4 against fp8: +0.1000 nat/token (+5.00 %) in the only pair of runs; one pair has no interval.");
}

TEST_CASE("units: losses are in nats where the task has probabilities, and squared errors have none") {
  RunRecord run;
  CHECK(loss_unit(std::vector{run}) == "nat/token");
  run.config["task"] = std::string("classification");
  CHECK(loss_unit(std::vector{run}) == "nat/image");
  run.config["task"] = std::string("regression");
  CHECK(loss_unit(std::vector{run}).empty());
  CHECK(in_brackets("") + after_space("") + in_brackets("nat") + after_space("nat") == " [nat] nat");
}

TEST_CASE("comparison: float32 is the baseline and comes first, or else the first unquantized precision") {
  SweepFile sweep = planted_law();
  std::reverse(sweep.runs.begin(), sweep.runs.end());
  CHECK(precisions_of(sweep.runs) == std::vector<std::string>{"float32", "mxfp4", "mxfp8"});
  std::erase_if(sweep.runs, [](const RunRecord& run) { return run.precision == "float32"; });
  CHECK(baseline_of(sweep.runs).empty());
  CHECK(baseline_differences(sweep.runs).empty());
  sweep.runs.front().precision = "bf16";
  sweep.runs.front().block_size = 0;
  CHECK(baseline_of(sweep.runs) == "bf16");
}

TEST_CASE("comparison: the others are held against the smallest penalty, in the order of theirs") {
  SweepFile sweep = planted_law();
  std::vector<RunRecord> worse;
  for (RunRecord run : sweep.runs) {
    if (run.precision != "float32") continue;
    run.precision = "int2";
    run.block_size = 32;
    run.loss += 1.0;
    worse.push_back(run);
  }
  sweep.runs.insert(sweep.runs.begin(), worse.begin(), worse.end());
  const auto differences = differences_to_best(sweep.runs);
  REQUIRE(differences.size() == 2);
  CHECK(differences[0].precision == "mxfp4");
  CHECK(differences[0].reference == "mxfp8");
  CHECK(differences[1].precision == "int2");
  CHECK(differences[1].reference == "mxfp8");
}
