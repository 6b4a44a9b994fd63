#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "simulators/optim/adamw.h"
#include "simulators/optim/schedule.h"

using namespace bitlaw;

TEST_CASE("schedule: linear warmup, then each kind's own curve, ending at `final`") {
  using Kind = ScheduleConfig::Kind;
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
  for (const auto kind : {ScheduleConfig::Kind::Constant, ScheduleConfig::Kind::Cosine, ScheduleConfig::Kind::Wsd}) {
    const double factor = schedule_factor({.kind = kind, .warmup = 1.0}, 0, 1);
    CHECK(factor == 1.0);
  }
}

TEST_CASE("adamw: the first step moves against the gradient's sign by the learning rate") {
  // m / (1 - b1) = g and v / (1 - b2) = g^2, so the step is rate g / (|g| + epsilon).
  const OptimizerConfig config{.learning_rate = 0.1, .epsilon = 0.0};
  AdamWState<double> state(2);
  std::vector<double> p{1.0, 1.0};
  const std::vector<double> g{0.003, -70.0};
  adamw_update<double>(config, 0.1, 0.0, 1.0, 0, p, g, state, 0);
  CHECK(p[0] == doctest::Approx(0.9).epsilon(1e-12));
  CHECK(p[1] == doctest::Approx(1.1).epsilon(1e-12));
}

TEST_CASE("adamw: two steps by the paper's recurrence, with decoupled weight decay") {
  const OptimizerConfig config{.beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-3};
  AdamWState<double> state(3);
  std::vector<double> p{2.0};
  double m = 0, v = 0, expected = 2.0;
  for (int t = 1; t <= 2; ++t) {
    const double g = t == 1 ? 0.5 : -0.25, rate = 0.01 * t, decay = 0.1;
    m = 0.9 * m + 0.1 * g;
    v = 0.99 * v + 0.01 * g * g;
    expected -=
        rate * (m / (1 - std::pow(0.9, t)) / (std::sqrt(v / (1 - std::pow(0.99, t))) + 1e-3) + decay * expected);
    const std::vector<double> gradient{2 * g};  // halved by the clip factor
    adamw_update<double>(config, rate, decay, 0.5, t - 1, p, gradient, state, 2);
  }
  CHECK(p[0] == doctest::Approx(expected).epsilon(1e-14));
  CHECK(state.m[0] == 0.0);  // only its own range is touched
  CHECK(state.m[2] == doctest::Approx(m).epsilon(1e-14));
}

TEST_CASE("clipping: the norm of 3-4-5 and the factor that brings it to 1") {
  const std::vector<float> g{3.0F, 4.0F};
  CHECK(gradient_norm<float>(g) == 5.0);
  CHECK(clip_factor(5.0, 1.0) == 0.2);
  CHECK(clip_factor(0.5, 1.0) == 1.0);
  CHECK(clip_factor(5.0, 0.0) == 1.0);
}
