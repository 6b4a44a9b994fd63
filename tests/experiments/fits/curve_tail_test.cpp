#include "experiments/fits/curve_tail.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/random/philox.h"
#include "experiments/fits/fit_rows.h"

using namespace bitlaw;

namespace {

/// Row i of a table of three runs, whose rows come in no order.
void add_row(FitRows& rows, std::size_t i) {
  rows.run.push_back(static_cast<std::int32_t>(random_bits({.seed = 5}, i) % 3));
  rows.loss.push_back(2 + std::sin(static_cast<double>(i)));
  rows.weight.push_back(1 + static_cast<double>(i % 4));
  rows.inputs.resize(1);
  rows.inputs[0].push_back(static_cast<double>(i));
  rows.number.push_back(static_cast<std::uint32_t>(i + 1));
}

struct MeanTail {
  double loss = 0, weight = 0, last_input = 0;
};

/// By the definition, over the whole table: the last `share` of each run's rows, rounded up, or its last `count`.
std::map<std::int32_t, MeanTail> mean_tails(const FitRows& rows, double share, std::size_t count) {
  std::map<std::int32_t, std::vector<std::size_t>> runs;
  for (std::size_t i = 0; i < rows.size(); ++i) runs[rows.run[i]].push_back(i);
  std::map<std::int32_t, MeanTail> means;
  for (const auto& [run, list] : runs) {
    const auto of_share = static_cast<std::size_t>(std::ceil(share * static_cast<double>(list.size())));
    const std::size_t length = share > 0 ? of_share : std::min(count, list.size());
    MeanTail& mean = means[run];
    for (std::size_t k = list.size() - length; k < list.size(); ++k) {
      mean.loss += rows.loss[list[k]] / static_cast<double>(length);
      mean.weight += rows.weight[list[k]] / static_cast<double>(length);
    }
    mean.last_input = rows.inputs[0][list.back()];
  }
  return means;
}

}  // namespace

TEST_CASE("curve tail: rows left out while reading change no mean, and few rows stay") {
  struct Case {
    std::string tail;
    double share;
    std::size_t count;
  };
  constexpr std::size_t kRows = 3000;
  for (const Case& tail : {Case{"12.5%", 0.125, 0}, {"40", 0, 40}, {"2000", 0, 2000}, {"100%", 1, 0}}) {
    CAPTURE(tail.tail);
    FitRows all, read;
    std::size_t most = 0;
    for (std::size_t i = 0; i < kRows; ++i) {
      add_row(all, i);
      add_row(read, i);
      if (i % 100 == 99) CurveTail(tail.tail).drop_earlier(read);
      most = std::max(most, read.size());
    }
    const double kept =
        tail.share > 0 ? tail.share * kRows : std::min<double>(kRows, 3 * static_cast<double>(tail.count));
    CHECK(static_cast<double>(most) <= kept + 100 + 3);  // what came since, and the rounding of three runs
    CurveTail(tail.tail).average(read);
    REQUIRE(read.size() == 3);
    CHECK(read.notes.front().starts_with("3000 rows of 3 runs: the mean loss over the last "));
    const auto expected = mean_tails(all, tail.share, tail.count);
    for (std::size_t k = 0; k < 3; ++k) {
      const MeanTail& mean = expected.at(read.run[k]);
      CHECK(read.loss[k] == doctest::Approx(mean.loss).epsilon(1e-13));
      CHECK(read.weight[k] == doctest::Approx(mean.weight).epsilon(1e-13));
      CHECK(read.inputs[0][k] == mean.last_input);
    }
  }
}
