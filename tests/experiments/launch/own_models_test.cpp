// What ways to spend a budget would have bought of a grid of language models that has been trained whole,
// experiments/configs/adaptive.yaml, whose losses are in data/adaptive.csv.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>

#include "core/base/limits.h"
#include "core/record/table_rows.h"
#include "tests/experiments/launch/design_study.h"
#include "tests/support/long_test.h"

using namespace bitlaw;

namespace {

const std::string kSource = BITLAW_SOURCE_DIR;

/// The losses of all seeds of a run, by N and D.
using Trained = std::map<std::pair<std::int64_t, std::int64_t>, std::vector<double>>;

Trained trained_losses() {
  const auto columns = read_numbers(kSource + "/data/adaptive.csv", {"params", "tokens", "loss"});
  Trained losses;
  for (std::size_t i = 0; i < columns[0].size(); ++i) {
    losses[{static_cast<std::int64_t>(columns[0][i]), static_cast<std::int64_t>(columns[1][i])}].push_back(
        columns[2][i]);
  }
  return losses;
}

/// Each study deals the trained seeds of every run anew.
DesignStudy own_study(const Trained& trained) {
  return {plan_experiment(kSource + "/experiments/configs/adaptive.yaml", {"sweep.seeds=4"}), 53440, 4194304,
          [trained](const PlannedRun& run, unsigned study) {
            std::vector<double> losses = trained.at({run.counts.params, run.tokens});
            std::seed_seq seeds{study, static_cast<unsigned>(run.counts.params), static_cast<unsigned>(run.tokens)};
            std::shuffle(losses.begin(), losses.end(), std::mt19937(seeds));
            return losses.at(static_cast<std::size_t>(DesignStudy::seed_of(run)));
          }};
}

/// A band that a fit cannot give is endless.
double band_of(const DesignStudy& designs, const DesignStudy::Results& results) {
  const double band = designs.outcome_of(results).band;
  return std::isnan(band) ? kInfinity : band;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

constexpr unsigned kStudies = 40;
constexpr std::array kShares{0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.5};
constexpr std::array kDesigns{"adaptive", "random", "ray"};

/// Of one design: the median band over studies for each share of the grid's FLOPs, over the grid's median.
using Ladder = std::array<double, kShares.size()>;

std::map<std::string, Ladder> ladders_of(const DesignStudy& designs) {
  std::vector<double> grids;
  for (unsigned study = 0; study < kStudies; ++study) grids.push_back(band_of(designs, designs.grid(study)));
  std::map<std::string, Ladder> ladders;
  for (std::size_t k = 0; k < kShares.size(); ++k) {
    const double budget = kShares[k] * designs.grid_cost();
    std::array<std::vector<double>, kDesigns.size()> bands;
    for (unsigned study = 0; study < kStudies; ++study) {
      bands[0].push_back(band_of(designs, designs.adaptive(study, budget, 4)));
      bands[1].push_back(band_of(designs, designs.random(study, budget)));
      bands[2].push_back(band_of(designs, designs.ray(study, budget)));
    }
    for (std::size_t d = 0; d < kDesigns.size(); ++d) ladders[kDesigns[d]][k] = median(bands[d]) / median(grids);
  }
  std::string table =
      fmt::format("grid {:.3g} FLOP, median band {:.2g}; others' over it:\n", designs.grid_cost(), median(grids));
  for (const char* name : kDesigns) table += fmt::format("{:8} {:.2f}\n", name, fmt::join(ladders[name], " "));
  MESSAGE(table);
  return ladders;
}

}  // namespace

TEST_CASE("next: on own models, four fifths of a grid's FLOPs give its band when chosen, not by lot; a ray never does" *
          BITLAW_LONG_TEST) {
  const auto ladders = ladders_of(own_study(trained_losses()));
  for (std::size_t k = 0; k < kShares.size(); ++k) {
    CAPTURE(kShares.at(k));
    CHECK(ladders.at("adaptive")[k] <= ladders.at("random")[k]);
    CHECK(std::isinf(ladders.at("ray")[k]));  // on one ray a term of N cannot be told from one of D
    if (kShares.at(k) == 0.8) {
      CHECK(ladders.at("adaptive")[k] <= 1);
      CHECK(ladders.at("random")[k] > 1);
    }
  }
}
