// What ways to spend a budget would have bought of grids of models that have been trained whole,
// experiments/configs/adaptive*.yaml, whose losses are in data/adaptive*.csv.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <random>

#include "core/base/limits.h"
#include "core/record/table_rows.h"
#include "tests/experiments/launch/design_study.h"
#include "tests/support/long_test.h"

using namespace bitlaw;

namespace {

const std::string kSource = BITLAW_SOURCE_DIR;

/// A grid that has been trained whole, and where the loss is to be known: twice its largest run in each.
struct OwnGrid {
  std::string name;  ///< of its file in experiments/configs and of its losses in data
  std::int64_t params, tokens;
  double ray;  ///< tokens per parameter
};

/// The losses of all seeds of a run, by N and D.
using Trained = std::map<std::pair<std::int64_t, std::int64_t>, std::vector<double>>;

Trained trained_losses(const OwnGrid& grid) {
  const auto columns = read_numbers(kSource + "/data/" + grid.name + ".csv", {"params", "tokens", "loss"});
  Trained losses;
  for (std::size_t i = 0; i < columns[0].size(); ++i) {
    losses[{static_cast<std::int64_t>(columns[0][i]), static_cast<std::int64_t>(columns[1][i])}].push_back(
        columns[2][i]);
  }
  return losses;
}

/// Each study deals the trained seeds of every run anew.
DesignStudy own_study(const OwnGrid& grid, const Trained& trained) {
  return {plan_experiment(kSource + "/experiments/configs/" + grid.name + ".yaml", {"sweep.seeds=4"}),
          static_cast<double>(grid.params), static_cast<double>(grid.tokens), grid.ray,
          [&trained](const PlannedRun& run, unsigned study) {
            std::vector<double> losses = trained.at({run.counts.params, run.tokens});
            std::seed_seq seeds{study, static_cast<unsigned>(run.counts.params), static_cast<unsigned>(run.tokens)};
            std::shuffle(losses.begin(), losses.end(), std::mt19937(seeds));
            return losses.at(static_cast<std::size_t>(DesignStudy::seed_of(run)));
          }};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/// Medians over studies of one design: the relative standard error that a fit gives its prediction, and how far that is
/// from the mean of the losses trained there. What a fit cannot give is endless.
struct Known {
  double band, error;
};

using Ladder = std::vector<Known>;  ///< for each share of the grid's FLOPs, over the grid's

std::map<std::string, Ladder> ladders_of(const OwnGrid& grid, const std::vector<double>& shares, unsigned studies) {
  const Trained trained = trained_losses(grid);
  const DesignStudy designs = own_study(grid, trained);
  const std::vector<double>& there = trained.at({grid.params, grid.tokens});
  const double truth = std::accumulate(there.begin(), there.end(), 0.0) / static_cast<double>(there.size());
  const auto known = [&](const std::function<DesignStudy::Results(unsigned study)>& results_of) {
    std::vector<double> bands, errors;
    for (unsigned study = 0; study < studies; ++study) {
      const DesignStudy::Outcome outcome = designs.outcome_of(results_of(study));
      const bool given = !std::isnan(outcome.band);
      bands.push_back(given ? outcome.band : kInfinity);
      errors.push_back(given ? std::abs(std::log(outcome.loss / truth)) : kInfinity);
    }
    return Known{median(bands), median(errors)};
  };
  const Known whole = known([&](unsigned study) { return designs.grid(study); });
  std::map<std::string, Ladder> ladders;
  for (const double share : shares) {
    const double budget = share * designs.grid_cost();
    ladders["adaptive"].push_back(known([&](unsigned study) { return designs.adaptive(study, budget, 4); }));
    ladders["random"].push_back(known([&](unsigned study) { return designs.random(study, budget); }));
    ladders["ray"].push_back(known([&](unsigned study) { return designs.ray(study, budget); }));
  }
  std::string table = fmt::format("{}: grid {:.3g} FLOPs, band {:.2g}, error {:.2g}; others' over it:\n", grid.name,
                                  designs.grid_cost(), whole.band, whole.error);
  for (auto& [name, ladder] : ladders) {
    table += fmt::format("{:8}", name);
    for (Known& at : ladder) {
      at = {at.band / whole.band, at.error / whole.error};
      table += fmt::format(" {:.2f} ({:.2f})", at.band, at.error);
    }
    table += "\n";
  }
  table += "least   ";
  for (const double share : shares) {
    table += fmt::format(" {:.2f}", designs.least_error(0, share * designs.grid_cost()));
  }
  MESSAGE(table);
  return ladders;
}

const std::vector<double> kShares{0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.5};
const OwnGrid kRegressions{"adaptive_regression", 1024, 1048576, 1024};
const OwnGrid kLanguageModels{"adaptive_language", 53440, 4194304, 20};

}  // namespace

TEST_CASE("next: on own regressions, two fifths of a grid's FLOPs give its band when chosen, not by lot or on a ray" *
          BITLAW_LONG_TEST) {
  const auto ladders = ladders_of(kRegressions, {0.4}, 10);
  CHECK(ladders.at("adaptive")[0].band <= 1);
  CHECK(ladders.at("random")[0].band > 1);
  CHECK(ladders.at("ray")[0].band > 2);
}

TEST_CASE(
    "next: on own language models, four fifths of a grid's FLOPs give its band when chosen, not by lot; a ray never "
    "does" *
    BITLAW_LONG_TEST) {
  const auto ladders = ladders_of(kLanguageModels, kShares, 40);
  for (std::size_t k = 0; k < kShares.size(); ++k) {
    CAPTURE(kShares[k]);
    CHECK(ladders.at("adaptive")[k].band <= ladders.at("random")[k].band);
    CHECK(std::isinf(ladders.at("ray")[k].band));  // on one ray a term of N cannot be told from one of D
    if (kShares[k] == 0.8) {
      CHECK(ladders.at("adaptive")[k].band <= 1);
      CHECK(ladders.at("random")[k].band > 1);
    }
  }
}

TEST_CASE("next: on own regressions, a table" * doctest::skip()) { ladders_of(kRegressions, kShares, 40); }
