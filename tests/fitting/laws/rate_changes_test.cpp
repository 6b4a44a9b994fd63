#include "fitting/laws/rate_changes.h"

#include <doctest/doctest.h>

#include <cmath>

#include "fitting/laws/gauss_rule.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

TEST_CASE("gauss_rule: moments up to 2 n - 1 are those of the points, weights are positive") {
  std::vector<WeightedPoint> points;
  for (int i = 0; i < 50; ++i) points.push_back({std::sin(i * 1.7) + 3, 1.0 + std::cos(i * 0.9)});
  const auto rule = gauss_rule(points, 6);
  REQUIRE(rule.size() == 6);
  for (int degree = 0; degree < 12; ++degree) {
    CAPTURE(degree);
    double expected = 0, found = 0;
    for (const WeightedPoint& p : points) expected += p.weight * std::pow(p.place - 3, degree);
    for (const WeightedPoint& p : rule) found += p.weight * std::pow(p.place - 3, degree);
    CHECK(std::abs(found - expected) < 1e-12 * 50);  // 50 terms below 2, rounding of some hundred operations
  }
  for (const WeightedPoint& p : rule) CHECK(p.weight > 0);
  CHECK(gauss_rule({points[0], points[1]}, 6).size() == 2);
}

TEST_CASE("rate_changes: gathered sums are the plain sums over all steps, of a few hundred terms") {
  std::vector<Schedule> schedules;
  for (const ScheduleShape shape : {ScheduleShape::Constant, ScheduleShape::Cosine, ScheduleShape::Linear,
                                    ScheduleShape::Exponential, ScheduleShape::TwoStage}) {
    schedules.push_back(make_schedule(
        {.shape = shape, .peak = 3e-4, .end = 3e-5, .warmup = 2160, .decay_from = 20000, .steps = 24000}));
  }
  Schedule cycles = schedules[1];  // falls, warms up again and falls
  cycles.insert(cycles.end(), schedules[1].begin() + 1, schedules[1].end());
  schedules.push_back(cycles);
  struct Gain {
    double c, beta, gamma;
  };
  for (const Schedule& schedule : schedules) {
    const RateChanges changes(schedule, false);
    std::vector<double> s1{schedule[0]};
    for (std::size_t k = 1; k < schedule.size(); ++k) s1.push_back(s1.back() + schedule[k]);
    for (const std::size_t step : {1UL, 7UL, 100UL, 2159UL, 2161UL, 8001UL, 20001UL, schedule.size() - 1}) {
      for (const Gain& g : {Gain{2.1, 0.58, 0.64}, {0.38, 0.11, 0.9}, {0.002, 0.25, 1.36}, {100, 1, 0}}) {
        CAPTURE(step);
        const auto f = [&](double before, double log_rate) {
          return 1 - std::pow(1 + g.c * std::exp(-g.gamma * log_rate) * (s1[step] - before), -g.beta);
        };
        double expected = 0, found = 0;
        for (std::size_t k = 1; k <= step; ++k) {
          expected += (schedule[k - 1] - schedule[k]) * f(s1[k - 1], std::log(schedule[k]));
        }
        std::size_t terms = 0;
        changes.for_each_range(step, [&](std::size_t first, std::size_t last) {
          terms += last - first;
          for (std::size_t k = first; k < last; ++k) {
            const RateChange& change = changes.points()[k];
            found += change.drop * f(change.before, change.log_rate);
          }
        });
        CHECK(std::abs(found - expected) < 3e-4 * 1e-8);  // of the largest change there is
        CHECK(terms < 500);
      }
    }
  }
}
