// Designs that cannot decide a law: each is warned of by name, and the run that the warning asks for cures it.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "fitting/fit/fit.h"
#include "fitting/laws/fp_quantization.h"
#include "tests/fitting/planted.h"
#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {

using Rows = std::vector<std::vector<double>>;

/// Every row followed by every ending.
Rows extended(const Rows& rows, const Rows& endings) {
  Rows longer;
  for (const auto& row : rows) {
    for (const auto& ending : endings) {
      longer.push_back(row);
      longer.back().insert(longer.back().end(), ending.begin(), ending.end());
    }
  }
  return longer;
}

std::vector<double> truth_of(const Law& law) {
  return law.name() == "chinchilla" ? kChinchillaTruth : law.published().front().values;
}

bool warns(std::string_view law_name, const Observations& observations, std::string_view start) {
  const Law& law = find_law(law_name);
  const FitRecord fit = fit_law(law, observations, {.bootstrap = 0, .starts = 4}, "design");
  return std::any_of(fit.warnings.begin(), fit.warnings.end(),
                     [&](const std::string& warning) { return warning.starts_with(start); });
}

Observations observed(std::string_view law, const Rows& rows) {
  return planted(find_law(law), truth_of(find_law(law)), rows, 0.002, 11);
}

Observations with_run(std::string_view law, Rows rows, const std::vector<double>& run) {
  rows.push_back(run);
  return observed(law, rows);
}

const std::vector<double> kSizes{7e7, 1.5e8, 3e8, 6e8}, kTokens{1e10, 2e10, 5e10, 1e11};

struct Degenerate {
  std::string_view law;
  Rows rows;
  std::string_view warning;  ///< its beginning
  std::string_view remedy;   ///< words in it
  std::vector<double> cure;  ///< the run that the remedy describes
};

Rows ray(double exponent, double factor) {
  Rows rows;
  for (double n = 1e7; n < 1e10; n *= 2.5) rows.push_back({n, factor * std::pow(n, exponent)});
  return rows;
}

std::vector<Degenerate> degenerate_designs() {
  const Rows crossed = full_design(kSizes, kTokens);
  const double channel = std::exp2(FpQuantizationLaw::kChannelLog2B);
  return {
      {"chinchilla",
       ray(1, 20),
       "all runs lie on one ray D/N = 20",
       "repeat the smallest model, N = 1e+07",
       {1e7, 8e8}},
      {"chinchilla",
       ray(0.5, 1e6),
       "all runs lie on one curve D ~ N^0.50",
       "repeat the smallest model",
       {1e7, 1.26e10}},
      {"chinchilla",
       full_design({1e8, 1e9}, {1e9, 3e9, 1e10, 1e11}),
       "N takes only 2 values in all runs (1e+08, 1e+09)",
       "add a smaller model at the smallest D",
       {1e7, 1e9}},
      {"chinchilla",
       full_design({1e7, 3e7, 1e8, 3e8, 1e9, 3e9, 1e10}, {1e10}),
       "D takes only 1 value in all runs (1e+10)",
       "add a shorter run of the smallest model",
       {}},
      {"chinchilla",
       full_design({1e7, 1e8, 1e9, 1e10}, {1e10, 1e11}),
       "D takes only 2 values in all runs (1e+10, 1e+11)",
       "add a shorter run of the smallest model",
       {1e7, 1e9}},
      {"qat",
       extended(crossed, {{1}, {32}}),
       "G takes only 1 value in the quantized runs (32)",
       "repeat the smallest quantized run with another block size",
       {7e7, 1e10, 128}},
      {"qat",
       extended(crossed, {{1}}),
       "no run is quantized in blocks (G or B > 1)",
       "repeat the smallest run in a block format",
       {7e7, 1e10, 32}},
      {"fp_quantization",
       extended(crossed, {{8, 7, 1}, {2, 1, channel}}),
       "E takes only 1 value in the quantized runs (2)",
       "repeat the smallest quantized run with one exponent bit more or fewer",
       {7e7, 1e10, 3, 1, channel}},
      {"fp_quantization",
       extended(crossed, {{8, 7, 1}, {1, 1, channel}, {2, 1, 64}}),
       "M takes only 1 value in the quantized runs (1)",
       "repeat the smallest quantized run with one mantissa bit more or fewer",
       {7e7, 1e10, 1, 2, channel}},
      {"fp_quantization",
       extended(crossed, {{8, 7, 1}, {1, 2, channel}, {2, 1, channel}}),
       "E, M vary together only in the quantized runs",
       "repeat the run with E = 1 at M = 1, all else equal",
       {7e7, 1e10, 1, 1, channel}},
      {"kumar",
       extended(crossed, {{4, 4, 4}, {6, 6, 6}, {8, 8, 8}, {12, 12, 12}}),
       "Pw, Pa, Pkv vary together only in all runs",
       "repeat the run with Pw = 4 at Pkv = 6, all else equal",
       {7e7, 1e10, 4, 4, 6}},
      {"annealing",
       {{0.5, 0}, {1, 0}, {1.5, 0}, {2, 0}, {3, 0}, {4, 0}, {6, 0}, {8, 0}},
       "S2 takes only 1 value in all runs (0)",
       "add one run whose learning rate decays",
       {4, 0.2}},
      {"chinchilla",
       {{1e7, 1e9}, {1e7, 1e10}, {1e8, 1e9}, {1e8, 1e11}, {1e9, 1e10}, {1e9, 1e11}},
       "6 runs are only 1 more than the 5 free parameters",
       "repeat the smallest run with another seed",
       {}},
      {"chinchilla",
       full_design({1.3, 7, 13, 70}, {20, 100, 300, 900}),
       "N is at most 70 in all runs, too few parameters for any",
       "multiply the column by 1e6 or 1e9",
       {}},
      {"chinchilla",
       full_design({1e7, 1e8, 1e9}, {3, 1e9, 1e10, 1e11}),
       "D jumps from 3 to 1e+09 tokens",
       "add a run between them",
       {}},
      {"chinchilla",
       full_design({70, 160, 410, 1400}, {1e10, 3e10, 1e11}),
       "D/N lies between 7.14e+06 and 1.43e+09 tokens per parameter",
       "give both as plain numbers",
       {}},
  };
}

}  // namespace

TEST_CASE("degenerate designs: each is warned of by name with a remedy, and the run that it asks for cures it") {
  for (const Degenerate& design : degenerate_designs()) {
    CAPTURE(design.warning);
    const Law& law = find_law(design.law);
    const FitRecord fit = fit_law(law, observed(design.law, design.rows), {.bootstrap = 0, .starts = 4}, "design");
    const auto found = std::find_if(fit.warnings.begin(), fit.warnings.end(),
                                    [&](const std::string& warning) { return warning.starts_with(design.warning); });
    REQUIRE(found != fit.warnings.end());
    CHECK(found->find(design.remedy) != std::string::npos);
    if (design.cure.empty()) continue;
    CHECK_FALSE(warns(design.law, with_run(design.law, design.rows, design.cure), design.warning.substr(0, 12)));
  }
}

TEST_CASE("degenerate designs: two more seeds of the smallest run end the warning of few spare runs") {
  const Rows rows{{1e7, 1e9}, {1e7, 1e10}, {1e8, 1e9}, {1e8, 1e11}, {1e9, 1e10}, {1e9, 1e11}, {1e7, 1e9}, {1e7, 1e9}};
  CHECK_FALSE(warns("chinchilla", observed("chinchilla", rows), "8 runs are only"));
}

TEST_CASE("degenerate designs: rows that are copies, of other runs, are counted and one is named") {
  Observations copied = observed("chinchilla", chinchilla_design());
  for (const std::size_t i : {3, 5, 8}) {
    copied.inputs.push_back(copied.inputs[i]);
    copied.loss.push_back(copied.loss[i]);
    copied.ids.push_back("again" + copied.ids[i]);
    copied.cluster.push_back(copied.ids.back());
  }
  CHECK(warns("chinchilla", copied, "3 rows repeat other rows to the last digit (againrun3 = run3), which makes the"));
  for (std::size_t k = 36; k < 39; ++k) copied.cluster[k] = copied.ids[k].substr(5);  // rows of the same runs
  CHECK_FALSE(warns("chinchilla", copied, "3 rows repeat"));
}

TEST_CASE("degenerate designs: losses that are all equal depend on nothing") {
  Observations equal = observed("chinchilla", chinchilla_design());
  std::fill(equal.loss.begin(), equal.loss.end(), 2.5);
  CHECK(warns("chinchilla", equal, "all 36 losses are equal (2.5), so they depend on no input"));
}

TEST_CASE("degenerate designs: NaN, negative losses and sizes below one are refused by row") {
  const auto refused = [](const std::function<void(Observations&)>& spoil) {
    Observations observations = observed("chinchilla", chinchilla_design());
    spoil(observations);
    return message_of([&] { fit_law(find_law("chinchilla"), observations, {.bootstrap = 0}, "x"); });
  };
  CHECK(refused([](Observations& o) { o.loss[3] = std::numeric_limits<double>::quiet_NaN(); }) ==
        "observation run3: loss nan is not a positive number, so it has no logarithm; leave the row out");
  CHECK(refused([](Observations& o) { o.loss[3] = -0.5; }) ==
        "observation run3: loss -0.5 is not a positive number, so it has no logarithm; leave the row out");
  CHECK(refused([](Observations& o) { o.inputs[7][0] = 0.07; }) ==
        "observation run7: N = 0.07 is below 1, so law 'chinchilla' has no value; correct the row");
  CHECK(refused([](Observations& o) {
          o.inputs[7][1] = std::numeric_limits<double>::quiet_NaN();
        }).starts_with("observation run7: D = nan is below 1"));
}

TEST_CASE("degenerate designs: when all runs diverged nothing is fitted, and the remedy is a run that does not") {
  std::vector<RunRecord> runs(6);
  for (RunRecord& run : runs) run.diverged = true;
  const FitRecord fit = fit_law(find_law("chinchilla"), observations_from_runs(find_law("chinchilla"), runs), {}, "x");
  REQUIRE_FALSE(fit.warnings.empty());
  CHECK(fit.warnings[0] ==
        "all 6 runs diverged, so there is nothing to fit; repeat the smallest with a lower learning rate");
  CHECK_FALSE(fit.converged);
}

TEST_CASE("degenerate designs: fewer runs than parameters, and many rows of few runs") {
  const Law& law = find_law("chinchilla");
  CHECK(warns("chinchilla", observed("chinchilla", full_design({1e7, 1e8}, {1e9, 1e10})),
              "4 runs with 4 losses cannot decide 5 free parameters"));
  Observations checkpoints = planted(law, kChinchillaTruth, chinchilla_design(), 0.002, 1);
  for (std::size_t i = 0; i < 36; ++i) checkpoints.cluster[i] = "run" + std::to_string(i / 12);
  CHECK(warns("chinchilla", checkpoints, "the 36 losses come from 3 runs, no more than the 5 free parameters"));
}

namespace {

/// Good designs, with the law that each is meant for.
std::vector<std::pair<std::string_view, Rows>> good_designs() {
  const Rows crossed = full_design(kSizes, kTokens);
  const double channel = std::exp2(FpQuantizationLaw::kChannelLog2B);
  Rows isoflop, random, l_shape, rays, cross, annealing, chinchilla_like;
  for (const double compute : {6e18, 1e19, 3e19, 1e20, 3e20, 1e21}) {
    for (int i = -4; i <= 4; ++i) {
      const double n = 0.1 * std::sqrt(compute) * std::pow(1.5, i);
      isoflop.push_back({n, compute / (6 * n)});
    }
  }
  const auto uniform = [](std::size_t i, std::uint16_t slot) {
    return (random_bits({.seed = 9, .slot = slot}, i) + 0.5) * 0x1p-32;
  };
  for (std::size_t i = 0; i < 60; ++i) {
    random.push_back({1e7 * std::pow(1e3, uniform(i, 1)), 1e9 * std::pow(1e3, uniform(i, 2))});
  }
  for (const double d : {1e9, 2e9, 4e9, 8e9, 1.6e10, 3.2e10, 6.4e10, 1.3e11}) l_shape.push_back({1e7, d});
  for (const double n : {2e7, 4e7, 8e7, 1.6e8, 3.2e8, 6.4e8, 1.3e9, 2.6e9}) l_shape.push_back({n, 1e9});
  for (double n = 1e7; n < 5e9; n *= 2) {
    for (const double ratio : {5, 20, 80, 320}) rays.push_back({n, ratio * n});
  }
  for (double factor = 1.0 / 64; factor < 100; factor *= 2) {
    cross.push_back({1e8 * factor, 1e10});
    cross.push_back({1e8, 1e10 * factor});
    cross.push_back({1e8 * factor, 1e10 * factor});
  }
  for (const double s1 : {0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0}) {
    for (const double s2 : {0.0, 0.05, 0.15, 0.3}) annealing.push_back({s1, s2});
  }
  return {
      {"chinchilla", full_design({1e7, 1e8, 1e9, 1e10}, {1e9, 1e10, 1e11, 1e12})},
      {"chinchilla", chinchilla_design()},
      {"chinchilla", isoflop},
      {"chinchilla", random},
      {"chinchilla", l_shape},
      {"chinchilla", rays},
      {"chinchilla", cross},
      {"chinchilla_tied", chinchilla_design()},
      {"kaplan_nd", full_design({1e6, 1e7, 1e8, 1e9}, {1e8, 1e9, 1e10, 1e11})},
      {"qat", extended(crossed, {{1}, {32}, {64}, {128}, {256}})},
      {"qat", extended(crossed, {{1}, {16}, {1024}})},
      {"fp_quantization", extended(crossed, {{8, 7, 1}, {1, 1, 32}, {1, 2, 32}, {2, 1, 32}, {2, 2, 32}, {4, 3, 32}})},
      {"fp_quantization", extended(crossed, {{8, 7, 1},
                                             {1, 1, channel},
                                             {1, 3, channel},
                                             {2, 1, channel},
                                             {2, 3, channel},
                                             {4, 1, channel},
                                             {1, 1, 32},
                                             {1, 1, 128}})},
      {"annealing", annealing}};
}

}  // namespace

TEST_CASE("good designs: none is warned of") {
  int number = 0;
  for (const auto& [name, rows] : good_designs()) {
    ++number;
    CAPTURE(number);
    const Law& law = find_law(name);
    const FitRecord fit = fit_law(law, planted(law, truth_of(law), rows, 0.002, 5),
                                  {.bootstrap = 400, .profile = true, .threads = 2, .starts = 6}, "good");
    const std::string warnings = fmt::format("{}", fmt::join(fit.warnings, "\n"));
    CHECK(warnings == "");
  }
  CHECK(number >= 12);
}
