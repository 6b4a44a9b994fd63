#include "experiments/launch/price.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

namespace bitlaw {
namespace {

/// Runs of a machine whose seconds per unit are `factors` times the reference's: amounts of work over four decades.
std::vector<TimedRun> runs_of(const RunWork& factors, std::size_t count, double noise, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> decades(-2, 2);
  std::normal_distribution<double> normal;
  const PriceModel reference;
  std::vector<TimedRun> runs(count);
  for (TimedRun& run : runs) {
    for (std::size_t k = 0; k < kWorkKinds; ++k) {
      RunWork unit{};
      unit[k] = 1;
      run.work[k] = std::pow(10.0, decades(random)) / reference.seconds(unit);
      run.seconds += run.work[k] * reference.seconds(unit) * factors[k];
    }
    run.seconds *= std::exp(noise * normal(random));
  }
  return runs;
}

double largest_error(const PriceModel& model, const std::vector<TimedRun>& runs) {
  double largest = 0;
  for (const TimedRun& run : runs) largest = std::max(largest, std::abs(model.seconds(run.work) / run.seconds - 1));
  return largest;
}

const RunWork kSlower{4, 2, 5, 3, 6, 2, 4};

TEST_CASE("price: without a finished run times are the reference's, and add up") {
  const PriceModel model = PriceModel::calibrated({});
  const auto runs = runs_of({1, 1, 1, 1, 1, 1, 1}, 20, 0, 1);
  CHECK(largest_error(model, runs) < 1e-12);
  CHECK(model.runs() == 0);
  CHECK(std::isnan(model.median_error()));
}

TEST_CASE("price: one finished run tells how fast the machine is") {
  const auto runs = runs_of({5, 5, 5, 5, 5, 5, 5}, 20, 0, 2);
  const PriceModel model = PriceModel::calibrated(std::span(runs).first(1));
  CHECK(largest_error(model, runs) < 1e-6);
  CHECK(model.runs() == 1);
}

TEST_CASE("price: many finished runs tell how fast the machine does each kind of work") {
  const auto finished = runs_of(kSlower, 200, 0.02, 3), others = runs_of(kSlower, 50, 0, 4);
  const PriceModel model = PriceModel::calibrated(finished);
  CHECK(largest_error(model, others) < 0.05);
  // Of a normal with deviation 0.02 the median magnitude is 0.0135.
  CHECK(model.median_error() == doctest::Approx(0.0135).epsilon(0.35));
}

TEST_CASE("price: a run that stood still for an hour does not spoil the rest") {
  auto finished = runs_of(kSlower, 60, 0.02, 5);
  finished[7].seconds += 3600;
  CHECK(largest_error(PriceModel::calibrated(finished), runs_of(kSlower, 50, 0, 6)) < 0.15);
}

}  // namespace
}  // namespace bitlaw
