#include "fitting/laws/chinchilla.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

using namespace bitlaw;

TEST_CASE("chinchilla: the three published fits give their compute-optimal losses at 5.76e23 FLOP") {
  // N and D are each fit's own optimum at Chinchilla's budget, to four digits; the loss is flat there.
  struct Case {
    double params, tokens, loss;
  };
  const std::array<Case, 3> cases{
      {{3.219e10, 2.982e12, 1.9307}, {4.036e10, 2.379e12, 1.9184}, {7.235e10, 1.327e12, 1.9740}}};
  const auto& published = chinchilla_law().published();
  REQUIRE(published.size() == cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(published[i].name);
    const double loss = chinchilla_law().predict(published[i].values, std::array{cases[i].params, cases[i].tokens});
    CHECK(std::abs(loss - cases[i].loss) < 0.6e-4);  // four printed decimals at an N and D of four digits
  }
}

TEST_CASE("chinchilla: the published fits are at their optimal split of the budget C = 6 N D") {
  const std::array<double, 3> optimal_params{3.219e10, 4.036e10, 7.235e10};
  for (std::size_t i = 0; i < optimal_params.size(); ++i) {
    CAPTURE(i);
    const auto loss = [&](double params) {
      return chinchilla_law().predict(chinchilla_law().published()[i].values,
                                      std::array{params, 5.76e23 / (6 * params)});
    };
    CHECK(loss(optimal_params[i]) < loss(optimal_params[i] * 1.01));
    CHECK(loss(optimal_params[i]) < loss(optimal_params[i] / 1.01));
  }
}

TEST_CASE("chinchilla: the start grid is the 4500 points of the paper") {
  std::size_t starts = 1;
  for (const LawParameter& parameter : chinchilla_law().parameters()) starts *= parameter.starts.size();
  CHECK(starts == 4500);
}
