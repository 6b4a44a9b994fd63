#include "fitting/design/exchange.h"

#include <doctest/doctest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <random>

using namespace bitlaw;

namespace {

/// `copies` runs at each of `points` places, even in [-1, 1], that measure a + b x; next to nothing is known before.
DesignProblem line(int points, int copies, double budget) {
  DesignProblem problem{.information = {1e-9, 0, 0, 1e-9}, .candidates = {}, .aims = {}, .budget = budget};
  for (int i = 0; i < points; ++i) {
    for (int copy = 0; copy < copies; ++copy) {
      problem.candidates.push_back({.slope = {1, -1 + 2.0 * i / (points - 1)}, .cost = 1});
    }
  }
  return problem;
}

std::size_t chosen_at(const DesignProblem& problem, const Design& design, double x) {
  return static_cast<std::size_t>(std::count_if(design.chosen.begin(), design.chosen.end(),
                                                [&](std::size_t i) { return problem.candidates[i].slope[1] == x; }));
}

/// The criterion of one choice, by definition.
double criterion_of(const DesignProblem& problem, const std::vector<bool>& chosen) {
  const auto q = static_cast<Eigen::Index>(problem.candidates.front().slope.size());
  Eigen::MatrixXd information = Eigen::Map<const Eigen::MatrixXd>(problem.information.data(), q, q);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const Eigen::Map<const Eigen::VectorXd> slope(problem.candidates[i].slope.data(), q);
    if (chosen[i]) information += slope * slope.transpose();
  }
  if (problem.aims.empty()) return -std::log(information.determinant());
  double sum = 0;
  for (const auto& aim : problem.aims) {
    const Eigen::Map<const Eigen::VectorXd> c(aim.data(), q);
    sum += c.dot(information.inverse() * c);
  }
  return sum / static_cast<double>(problem.aims.size());
}

/// The least criterion of all choices that can be paid.
double best_of_all(const DesignProblem& problem) {
  const std::size_t n = problem.candidates.size();
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t bits = 0; bits < (std::size_t{1} << n); ++bits) {
    std::vector<bool> chosen(n);
    double cost = 0;
    for (std::size_t i = 0; i < n; ++i) {
      chosen[i] = (bits >> i & 1U) != 0;
      if (chosen[i]) cost += problem.candidates[i].cost;
    }
    if (cost <= problem.budget) best = std::min(best, criterion_of(problem, chosen));
  }
  return best;
}

}  // namespace

TEST_CASE("exchange: for both parameters of a line, half of the runs go to each end") {
  // D-optimal for a + b x on [-1, 1]: weight 1/2 at -1 and 1 (Fedorov 1972; the equivalence theorem in one line).
  const DesignProblem problem = line(21, 12, 20);
  const Design design = exchange_design(problem);
  CHECK(design.cost == 20);
  CHECK(chosen_at(problem, design, -1) == 10);
  CHECK(chosen_at(problem, design, 1) == 10);
}

TEST_CASE("exchange: to extrapolate a line to x, the far end gets (x - 1)/(2x) of the runs") {
  // Hoel and Levine 1964 for degree 1: at x = 2 weights 3/4 at 1 and 1/4 at -1.
  DesignProblem problem = line(21, 20, 20);
  problem.aims = {{1, 2}};
  const Design design = exchange_design(problem);
  CHECK(chosen_at(problem, design, 1) == 15);
  CHECK(chosen_at(problem, design, -1) == 5);
  CHECK(design.after == doctest::Approx((0.5 / 15 * 4.5) + (0.5 / 5 * 0.5)).epsilon(1e-6));  // (3/2)^2/15 + (1/2)^2/5
}

TEST_CASE("exchange: close to the best of all choices, within the budget, and told as it is") {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> log_cost(0, 3);
  int exact = 0, all = 0;
  for (int repeat = 0; repeat < 60; ++repeat) {
    DesignProblem problem{.information = {0.3, 0, 0, 0, 0.3, 0, 0, 0, 0.3}, .candidates = {}, .aims = {}, .budget = 20};
    for (int i = 0; i < 11; ++i) {
      problem.candidates.push_back(
          {.slope = {normal(random), normal(random), normal(random)}, .cost = std::exp(log_cost(random))});
    }
    for (int k = 0; k < repeat % 3; ++k) problem.aims.push_back({normal(random), normal(random), normal(random)});
    const Design design = exchange_design(problem);

    std::vector<bool> chosen(problem.candidates.size());
    double cost = 0;
    for (const std::size_t i : design.chosen) {
      chosen[i] = true;
      cost += problem.candidates[i].cost;
    }
    CHECK(cost <= problem.budget);
    CHECK(design.cost == doctest::Approx(cost));
    CHECK(design.after == doctest::Approx(criterion_of(problem, chosen)));
    CHECK(design.before == doctest::Approx(criterion_of(problem, std::vector<bool>(chosen.size()))));
    const double best = best_of_all(problem), gained = design.before - design.after;
    CHECK(gained >= 0.9 * (design.before - best));
    ++all;
    if (gained >= (1 - 1e-9) * (design.before - best)) ++exact;
  }
  INFO(exact << " of " << all);
  CHECK(exact >= 0.7 * all);
}

TEST_CASE("exchange: of ten thousand different runs for a line, those at its two ends, and of equal ones the first") {
  // |X^T X| = n sum x^2 - (sum x)^2 of n runs is most for the outermost places, as many on each side.
  const DesignProblem different = line(10'000, 1, 100);
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < 50; ++i) ends.push_back(i);
  for (std::size_t i = 9'950; i < 10'000; ++i) ends.push_back(i);
  CHECK(exchange_design(different).chosen == ends);
  CHECK(exchange_design(line(100, 100, 6)).chosen == std::vector<std::size_t>{0, 1, 2, 9900, 9901, 9902});
}

TEST_CASE("exchange: nothing can be paid, nothing is bought") {
  DesignProblem problem = line(3, 1, 0.5);
  const Design design = exchange_design(problem);
  CHECK(design.chosen.empty());
  CHECK(design.after == design.before);
}
