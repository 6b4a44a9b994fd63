#include "fitting/laws/schedule.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

#include "fitting/laws/multi_power.h"
#include "fitting/laws/schedule_text.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

TEST_CASE("schedule: S1 and S2 of one drop are the closed forms") {
  // eta = 1 up to step 50, 1/2 up to 100: S2 = d (1 - lambda^n) / (1 - lambda), n = 50 steps after the drop of d.
  Schedule schedule(101, 0.5);
  std::fill_n(schedule.begin(), 51, 1.0);
  for (const double lambda : {0.9, 0.999}) {
    const LearningRateSums sums = learning_rate_sums(schedule, lambda, Warmup::AsPeak);
    CHECK(sums.s1.back() == 76);
    CHECK(sums.s2.back() == relative(0.5 * (1 - std::pow(lambda, 50)) / (1 - lambda), 1e-12));
  }
  CHECK(learning_rate_sums(schedule, 0.9, Warmup::AsPeak).s2.back() == relative(4.974231123963401, 1e-14));
  CHECK(learning_rate_sums(schedule, 0.999, Warmup::AsPeak).s2.back() == relative(24.3971859014843, 1e-13));
}

TEST_CASE("schedule: a warm-up as the peak, as it is, or in the area only") {
  const Schedule ramp{0, 1, 2, 2, 1};
  const auto sums = [&](Warmup warmup) { return learning_rate_sums(ramp, 0.5, warmup); };
  CHECK(sums(Warmup::AsPeak).s1 == std::vector<double>{2, 4, 6, 8, 9});
  CHECK(sums(Warmup::AsPeak).s2 == std::vector<double>{0, 0, 0, 0, 1});
  CHECK(sums(Warmup::RealRamp).s1 == std::vector<double>{0, 1, 3, 5, 6});
  CHECK(sums(Warmup::RealRamp).s2 == std::vector<double>{0, -1, -2.5, -3.25, -2.625});
  CHECK(sums(Warmup::AreaOnly).s1 == std::vector<double>{0, 1, 3, 5, 6});
  CHECK(sums(Warmup::AreaOnly).s2 == std::vector<double>{0, 0, 0, 0, 1});
}

TEST_CASE("schedule: shapes start at the peak after the warm-up and end at the end") {
  for (const ScheduleShape shape : {ScheduleShape::Cosine, ScheduleShape::Linear, ScheduleShape::Exponential}) {
    const Schedule schedule =
        make_schedule({.shape = shape, .peak = 3e-4, .end = 3e-5, .warmup = 100, .decay_from = 600, .steps = 1000});
    CHECK(schedule.size() == 1001);
    CHECK(schedule[0] == 0);
    CHECK(schedule[99] == 3e-4);
    CHECK(schedule[100] == 3e-4);
    CHECK(schedule[1000] == relative(3e-5, 1e-12));
  }
  const Schedule wsd =
      make_schedule({.shape = ScheduleShape::Exponential, .peak = 4, .end = 1, .decay_from = 2, .steps = 4});
  CHECK(wsd[3] == relative(2, 1e-14));
}

TEST_CASE(
    "schedule: 1 - sqrt falls fastest at first, a cosine shorter than training stays at its end, texts say both") {
  const ScheduleSpec sqrt{
      .shape = ScheduleShape::OneMinusSqrt, .peak = 1, .end = 0.2, .warmup = 10, .decay_from = 100, .steps = 200};
  CHECK(make_schedule(sqrt)[100] == 1);
  CHECK(make_schedule(sqrt)[125] == relative(0.6, 1e-15));  // 1 - 0.8 sqrt(1/4)
  CHECK(make_schedule(sqrt)[200] == relative(0.2, 1e-15));
  const ScheduleSpec cosine{.shape = ScheduleShape::Cosine, .peak = 1, .end = 0.2, .length = 100, .steps = 200};
  CHECK(make_schedule(cosine)[50] == relative(0.6, 1e-15));
  CHECK(make_schedule(cosine)[100] == relative(0.2, 1e-15));
  CHECK(make_schedule(cosine)[200] == relative(0.2, 1e-15));
  CHECK(text_of(cosine) == "cosine:peak=1,end=0.2,warmup=0,length=100,steps=200");
  for (const ScheduleSpec& spec : {sqrt, cosine}) CHECK(schedule_in(text_of(spec), 0) == make_schedule(spec));
}

TEST_CASE("multi_power: derivatives agree with central differences, blocks with the exact sum") {
  const Schedule schedule =
      make_schedule({.shape = ScheduleShape::Cosine, .peak = 3e-4, .end = 3e-5, .warmup = 300, .steps = 3000});
  const auto law = multi_power_law({schedule}), exact = multi_power_law({schedule}, RateSum::Exact);
  for (const double step : {400.0, 1500.0, 2999.0}) {
    const std::vector<double> features{0, step};
    const std::vector<double>& values = law->published()[0].values;
    CHECK(law->predict(values, features) == relative(exact->predict(values, features), 1e-7));
    const std::vector<double> fitted = law->to_fitted(values);
    std::array<double, 1> loss{}, up_loss{}, down_loss{};
    std::array<double, 7> gradient{};
    law->predictions(fitted, features, loss, gradient);
    CHECK(loss[0] == relative(law->predict(values, features), 1e-14));
    for (std::size_t j = 0; j < 7; ++j) {
      std::vector<double> up = fitted, down = fitted;
      up[j] += 1e-5;
      down[j] -= 1e-5;
      law->predictions(up, features, up_loss, {});
      law->predictions(down, features, down_loss, {});
      CHECK(std::abs(gradient[j] - (up_loss[0] - down_loss[0]) / 2e-5) < 1e-8);
    }
  }
}

TEST_CASE("multi_power: one drop gains B d (1 - (1 + C eta^-gamma S)^-beta)") {
  Schedule schedule(101, 0.5);
  std::fill_n(schedule.begin(), 51, 1.0);
  const auto law = multi_power_law({schedule});
  const std::vector<double> values{2, 3, 0.5, 0.4, 1.5, 0.7, 0.3};
  const double x = 1.5 * std::pow(0.5, -0.3) * 0.5 * 50;  // S_51(100) = 50 steps of 1/2
  CHECK(law->predict(values, std::array{0.0, 100.0}) ==
        relative(2 + 3 / std::sqrt(76) - 0.4 * 0.5 * (1 - std::pow(1 + x, -0.7)), 1e-13));
}
