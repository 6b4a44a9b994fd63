#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "simulators/optim/adamw.h"
#include "simulators/optim/schedule.h"

using namespace bitlaw;

TEST_CASE("schedule: linear warmup, then each kind's own curve, ending at `final`") {
  using Kind = ScheduleKind;
  const std::int64_t steps = 101;
  const auto factor = [&](Kind kind, std::int64_t step) {
    return schedule_factor({.kind = kind, .warmup = 0.1, .decay = 0.5, .final = 0.2}, step, steps);
  };
  for (const Kind kind : {Kind::Constant, Kind::Cosine, Kind::Linear, Kind::Wsd}) {
    CHECK(factor(kind, 0) == doctest::Approx(0.1));
    CHECK(factor(kind, 4) == doctest::Approx(0.5));
    CHECK(factor(kind, 9) == doctest::Approx(1.0));
    CHECK(factor(kind, 10) == doctest::Approx(1.0));
    CHECK(factor(kind, 100) == doctest::Approx(kind == Kind::Constant ? 1.0 : 0.2));
  }
  CHECK(factor(Kind::Cosine, 55) == doctest::Approx(0.6));  // half way: the middle of 1 and 0.2
  CHECK(factor(Kind::Cosine, 40) == doctest::Approx(0.2 + 0.8 * 0.5 * (1 + std::cos(std::numbers::pi / 3))));
  CHECK(factor(Kind::Linear, 55) == doctest::Approx(0.6));
  CHECK(factor(Kind::Linear, 40) == doctest::Approx(1.0 - 0.8 / 3));
  CHECK(factor(Kind::Wsd, 49) == doctest::Approx(1.0));  // stable until 100 - 51 = 49
  CHECK(factor(Kind::Wsd, 66) == doctest::Approx(1.0 - 0.8 / 3));
}

TEST_CASE("schedule: a run of one step trains at the peak") {
  for (const auto& [name, kind] : kScheduleKindNames) {
    CAPTURE(name);
    if (kind == ScheduleKind::File) continue;
    const double factor = schedule_factor({.kind = kind, .warmup = 1.0}, 0, 1);
    CHECK(factor == 1.0);
  }
}

TEST_CASE("adamw: the first step moves against the gradient's sign by the learning rate") {
  // m / (1 - b1) = g and v / (1 - b2) = g^2, so the step is rate g / (|g| + epsilon).
  const OptimizerConfig config{.epsilon = 0.0};
  std::vector<double> p{1.0, 1.0}, m(2), v(2);
  const std::vector<double> g{0.003, -70.0};
  adamw_update<double>(config, 0.1, 0.0, 1.0, 0, p, g, m, v);
  CHECK(p[0] == doctest::Approx(0.9).epsilon(1e-12));
  CHECK(p[1] == doctest::Approx(1.1).epsilon(1e-12));
}

TEST_CASE("adamw: two steps by the paper's recurrence, with decoupled weight decay") {
  const OptimizerConfig config{.beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-3};
  std::vector<double> p{2.0}, first(1), second(1);
  double m = 0, v = 0, expected = 2.0;
  for (int t = 1; t <= 2; ++t) {
    const double g = t == 1 ? 0.5 : -0.25, rate = 0.01 * t, decay = 0.1;
    m = 0.9 * m + 0.1 * g;
    v = 0.99 * v + 0.01 * g * g;
    expected -=
        rate * (m / (1 - std::pow(0.9, t)) / (std::sqrt(v / (1 - std::pow(0.99, t))) + 1e-3) + decay * expected);
    const std::vector<double> gradient{2 * g};  // halved by the clip factor
    adamw_update<double>(config, rate, decay, 0.5, t - 1, p, gradient, first, second);
  }
  CHECK(p[0] == doctest::Approx(expected).epsilon(1e-14));
  CHECK(first[0] == doctest::Approx(m).epsilon(1e-14));
}

TEST_CASE("clipping: the norm of 3-4-5 and the factor that brings it to 1") {
  const std::vector<float> g{3.0F, 4.0F};
  CHECK(gradient_norm<float>(g) == 5.0);
  CHECK(clip_factor(5.0, 1.0) == 0.2);
  CHECK(clip_factor(0.5, 1.0) == 1.0);
  CHECK(clip_factor(5.0, 0.0) == 1.0);
}

TEST_CASE("schedule: exponential and 1 - sqrt cooldowns, at a quarter and at the end") {
  ScheduleConfig wsd{.kind = ScheduleKind::Wsd, .warmup = 0, .decay_steps = 40, .final = 0.0625};
  wsd.decay_shape = DecayShape::Exponential;
  CHECK(schedule_factor(wsd, 60, 101) == 1.0);
  CHECK(schedule_factor(wsd, 70, 101) == doctest::Approx(0.5));  // (1/16)^(1/4)
  CHECK(schedule_factor(wsd, 100, 101) == doctest::Approx(0.0625));
  wsd.decay_shape = DecayShape::OneMinusSqrt;
  wsd.final = 0;
  CHECK(schedule_factor(wsd, 70, 101) == doctest::Approx(0.5));  // 1 - sqrt(1/4)
  CHECK(schedule_factor(wsd, 100, 101) == 0.0);
}

TEST_CASE("schedule: steps of warmup and cooldown hold in runs of any length") {
  const ScheduleConfig wsd{.kind = ScheduleKind::Wsd, .warmup_steps = 8, .decay_steps = 10, .final = 0};
  for (const std::int64_t steps : {50, 200}) {
    CHECK(schedule_factor(wsd, 3, steps) == 0.5);
    CHECK(schedule_factor(wsd, steps - 11, steps) == 1.0);
    CHECK(schedule_factor(wsd, steps - 6, steps) == doctest::Approx(0.5));
  }
}

TEST_CASE("schedule: each cycle falls from the peak to `final`, also where they do not divide the steps") {
  const ScheduleConfig cyclic{.kind = ScheduleKind::Cyclic, .warmup = 0, .final = 0.1, .cycles = 3};
  for (const std::int64_t start : {0, 34, 67}) CHECK(schedule_factor(cyclic, start, 100) == 1.0);
  for (const std::int64_t end : {33, 66, 99}) CHECK(schedule_factor(cyclic, end, 100) == doctest::Approx(0.1));
  CHECK(schedule_factor(cyclic, 83, 100) == doctest::Approx(0.55));  // the middle of 67 .. 99
}

TEST_CASE("schedule: milestones at 80 % and 90 % end at a tenth, as DeepSeek LLM was trained") {
  const ScheduleConfig steps{.kind = ScheduleKind::MultiStep, .warmup = 0};
  CHECK(schedule_factor(steps, 799, 1000) == 1.0);
  CHECK(schedule_factor(steps, 800, 1000) == doctest::Approx(0.316).epsilon(1e-3));
  CHECK(schedule_factor(steps, 899, 1000) == doctest::Approx(0.316).epsilon(1e-3));
  CHECK(schedule_factor(steps, 900, 1000) == doctest::Approx(0.1));
}

TEST_CASE("schedule: re-warmup climbs from `final` to its own peak and falls again") {
  const ScheduleConfig again{
      .kind = ScheduleKind::Rewarmup, .warmup_steps = 10, .final = 0.1, .rewarm_at = 0.5, .rewarm_peak = 0.7};
  CHECK(schedule_factor(again, 10, 200) == 1.0);
  CHECK(schedule_factor(again, 99, 200) == doctest::Approx(0.1));
  CHECK(schedule_factor(again, 100, 200) == doctest::Approx(0.16));
  CHECK(schedule_factor(again, 104, 200) == doctest::Approx(0.4));  // half of ten steps up
  CHECK(schedule_factor(again, 109, 200) == doctest::Approx(0.7));
  CHECK(schedule_factor(again, 110, 200) == doctest::Approx(0.7));
  CHECK(schedule_factor(again, 199, 200) == doctest::Approx(0.1));
}

TEST_CASE("schedule: the points of a file are joined by lines and held outside") {
  const ScheduleConfig file{.kind = ScheduleKind::File, .points = {{10, 1.0}, {20, 0.5}, {21, 0.0}}};
  CHECK(schedule_factor(file, 0, 100) == 1.0);
  CHECK(schedule_factor(file, 15, 100) == 0.75);
  CHECK(schedule_factor(file, 20, 100) == 0.5);
  CHECK(schedule_factor(file, 99, 100) == 0.0);
}

TEST_CASE("annealing areas: a drop by half after step 50 gives the closed form of the law") {
  AnnealingAreas areas;
  for (int step = 0; step <= 100; ++step) areas.add(step <= 50 ? 1.0 : 0.5);
  CHECK(areas.s1 == 76.0);
  CHECK(areas.s2 == doctest::Approx(0.5 * (1 - std::pow(0.999, 50)) / (1 - 0.999)).epsilon(1e-12));
}
