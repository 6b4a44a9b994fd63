#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "fitting/laws/multi_power.h"
#include "fitting/predict/schedule_bound.h"
#include "fitting/predict/schedule_free.h"
#include "fitting/predict/schedule_law.h"
#include "fitting/predict/schedule_search.h"
#include "tests/fitting/relative.h"
#include "tests/support/long_test.h"

namespace bitlaw {
namespace {

const std::vector<double> kDemo = find_law("annealing").published().at(3).values;  // of the authors' own script
const std::vector<ScheduleShape> kShapes{ScheduleShape::Constant,    ScheduleShape::Cosine,
                                         ScheduleShape::Linear,      ScheduleShape::OneMinusSqrt,
                                         ScheduleShape::Exponential, ScheduleShape::TwoStage};

std::vector<double> multi_power_values(std::size_t which) { return multi_power_law({})->published().at(which).values; }

/// Small enough for brute force: the memory of the sums is 20 of 300 steps.
const ScheduleFrame kSmall{.peak = 1e-2, .least = 1e-4, .warmup = 30, .steps = 300};
ScheduleLaw small_annealing() { return {"annealing", {.lambda = 0.95, .warmup = Warmup::AsPeak}, {}}; }

TEST_CASE("schedule law: the last loss is the law's own, its slopes are central differences of it") {
  const ScheduleSpec spec{
      .shape = ScheduleShape::OneMinusSqrt, .peak = 3e-4, .end = 3e-5, .warmup = 20, .decay_from = 150, .steps = 200};
  const Schedule schedule = make_schedule(spec);
  const auto check = [&](const ScheduleLaw& law, const std::vector<double>& natural) {
    const LawAlongSchedule along = law.along(schedule);
    CHECK(along.inputs.size() == schedule.size());
    std::vector<double> slopes(schedule.size());
    const double loss = law.last_loss(natural, schedule, slopes);
    const auto exact = law.is_of_sums() ? along.law : multi_power_law({schedule}, RateSum::Exact);
    CHECK(loss == relative(exact->predict(natural, along.inputs.back()), 1e-12));
    CHECK(loss == relative(law.last_loss(natural, schedule), 1e-14));
    for (const std::size_t i : {40U, 149U, 151U, 180U, 199U, 200U}) {
      CAPTURE(i);
      Schedule up = schedule, down = schedule;
      up[i] += 1e-4 * schedule[i];  // below the peak but at steps 40 and 149, which AsPeak would take for a new one
      down[i] -= 1e-4 * schedule[i];
      const double rise = i < 150 ? 0 : law.last_loss(natural, up) - loss, fall = loss - law.last_loss(natural, down);
      const double difference = i < 150 ? fall / (1e-4 * schedule[i]) : (rise + fall) / (2e-4 * schedule[i]);
      CHECK(slopes[i] == relative(difference, i < 150 ? 1e-3 : 1e-5));
    }
  };
  for (const Warmup warmup : {Warmup::AsPeak, Warmup::RealRamp, Warmup::AreaOnly}) {
    check(ScheduleLaw("annealing", {.lambda = 0.97, .warmup = warmup}, {}), {2.6, 0.43, 0.55, 40});
  }
  check(ScheduleLaw("annealing", {.lambda = 0, .warmup = Warmup::RealRamp}, {}), {2.6, 0.43, 0.55, 40});  // no memory
  check(ScheduleLaw("annealing_n", {.lambda = 0.97}, {{"N", 3e8}}), find_law("annealing_n").published()[0].values);
  check(ScheduleLaw("multi_power", {}, {}), multi_power_values(0));
}

TEST_CASE("optimum schedule: no decay and last rate of a grid over a family has a lower loss") {
  const ScheduleLaw annealing = small_annealing(), multi_power("multi_power", {}, {});
  const std::vector<double> values{2.6, 0.43, 0.55, 4}, powers = multi_power_values(0);
  for (const auto& [law, natural] : {std::pair{&annealing, &values}, {&multi_power, &powers}}) {
    for (const ScheduleShape shape : kShapes) {
      CAPTURE(static_cast<int>(shape));
      const BestSchedule best = best_schedule(*law, *natural, kSmall, shape);
      CHECK(law->last_loss(*natural, make_schedule(best.spec)) == best.loss);
      double least = kInfinity;
      for (int decay = 1; decay <= 270; decay += 2) {
        for (int i = 0; i <= 60; ++i) {
          ScheduleSpec spec = best.spec;
          spec.end = kSmall.least + (kSmall.peak - kSmall.least) * i / 60;
          (shape == ScheduleShape::Cosine ? spec.length : spec.decay_from) =
              shape == ScheduleShape::Cosine ? 30 + 4 * decay : 300 - decay;
          if (shape == ScheduleShape::Cosine && 4 * decay < 135) continue;
          if (shape == ScheduleShape::Constant) spec = best.spec;
          least = std::min(least, law->last_loss(*natural, make_schedule(spec)));
        }
      }
      CHECK(best.loss <= least + 1e-9);
      CHECK(best.loss >= least - 1e-2);  // between the points of the grid, which are 1.6e-4 of rate apart
    }
  }
}

TEST_CASE("optimum schedule: the annealing law's free optimum is one drop, at the step that its closed form says") {
  // With all drops (peak - least) = d taken n steps before the end, S1 = S - d n, S2 = d (1 - lambda^n) / (1 - lambda).
  // S2 is concave in n and S1 linear, so of drops with the same mean n a single one has the largest S2 (Jensen).
  const std::vector<double> natural{2.6, 0.43, 0.55, 4};
  const double drop = kSmall.peak - kSmall.least, area = kSmall.peak * 301;
  double least = kInfinity;
  int best = 0;
  for (int n = 1; n <= 270; ++n) {
    const double loss = natural[0] + natural[1] * std::pow(area - drop * n, -natural[2]) -
                        natural[3] * drop * (1 - std::pow(0.95, n)) / 0.05;
    if (loss < least) {
      least = loss;
      best = n;
    }
  }
  const ScheduleLaw law = small_annealing();
  const BestSchedule family = best_schedule(law, natural, kSmall, ScheduleShape::TwoStage);
  CHECK(family.loss == relative(least, 1e-12));
  CHECK(family.decay() == best - 1);  // of the step before it
  CHECK(family.spec.end == kSmall.least);
  // From the drop and from a far start.
  for (const ScheduleSpec& start : {family.spec, ScheduleSpec{.shape = ScheduleShape::Linear,
                                                 .peak = kSmall.peak,
                                                 .end = kSmall.least,
                                                 .warmup = 30,
                                                 .decay_from = 30,
                                                 .steps = 300}}) {
    const FreeSchedule free = free_schedule(law, natural, kSmall, make_schedule(start));
    CHECK(free.converged);
    CHECK(free.loss >= least - 1e-12);
    CHECK(free.loss <= least + 1e-7);
    CHECK(free.gap < 1e-6);
    CHECK(free.loss - free.gap <= least);  // the law is convex, so this is a lower bound
    CHECK(std::abs(free.decay_from(kSmall.peak) - (301 - best)) <= 1);
    CHECK(std::is_sorted(free.schedule.rbegin(), free.schedule.rend() - 30));
  }
}

TEST_CASE("optimum schedule: the multi-power law's free optimum has arXiv:2503.12811's loss and last rate" *
          BITLAW_LONG_TEST) {
  // The paper prints 3.1497 for its 25M model, where its descent stopped, and last rates of 1.1e-6 to 1.4e-6, with the
  // warm-up in the area alone. A lower loss than that is a better minimum.
  const std::vector<double> natural = multi_power_values(0);
  const double b = natural[3], c = natural[4], beta = natural[5], gamma = natural[6];
  const ScheduleFrame frame{.peak = 3e-4, .least = 3e-7, .warmup = 2160, .steps = 24000};
  const ScheduleLaw law("multi_power", {}, {});
  const BestSchedule family = best_schedule(law, natural, frame, ScheduleShape::OneMinusSqrt);
  const FreeSchedule free = free_schedule(law, natural, frame, make_schedule(family.spec));
  double area = std::accumulate(free.schedule.begin(), free.schedule.end(), 0.0), of_rises = 0;
  for (std::size_t k = 1; k < 2160; ++k) {
    area -= free.schedule[k - 1];
    const double rise = free.schedule[k] - free.schedule[k - 1];
    of_rises += b * rise * (1 - std::pow(1 + c * std::pow(free.schedule[k], -gamma) * area, -beta));
  }
  CHECK(free.loss - of_rises < 3.1497 + 5e-5);
  CHECK(free.loss - of_rises > 3.1497 - 5e-3);
  CHECK(free.loss < family.loss - 1e-3);
  CHECK(free.schedule.back() > 1.05e-6);
  CHECK(free.schedule.back() < 1.45e-6);
  CHECK(free.schedule[20000] > 0.99 * 3e-4);  // WSD-like
  CHECK(std::is_sorted(free.schedule.rbegin(), free.schedule.rend() - 2160));
}

TEST_CASE("optimum schedule: of all non-increasing schedules on a grid of rates none beats the free one") {
  const ScheduleFrame frame{.peak = 0.05, .least = 0.001, .warmup = 0, .steps = 7};
  const ScheduleLaw annealing("annealing", {.lambda = 0.5}, {}), multi_power("multi_power", {}, {});
  const std::vector<double> values{2.6, 0.43, 0.55, 4}, powers{2, 0.5, 0.5, 12, 2, 0.6, 0.6};
  for (const auto& [law, natural] : {std::pair{&annealing, &values}, {&multi_power, &powers}}) {
    constexpr int kRates = 13;
    Schedule schedule(8, frame.peak);
    double least = kInfinity;
    const std::function<void(std::size_t, int)> try_all = [&, law = law, natural = natural](std::size_t step,
                                                                                            int most) {
      if (step == schedule.size()) {
        least = std::min(least, law->last_loss(*natural, schedule));
        return;
      }
      for (int i = 0; i <= most; ++i) {
        schedule[step] = frame.least + (frame.peak - frame.least) * i / (kRates - 1);
        try_all(step + 1, i);
      }
    };
    try_all(1, kRates - 1);
    const BestSchedule start = best_schedule(*law, *natural, frame, ScheduleShape::Linear);
    const FreeSchedule free = free_schedule(*law, *natural, frame, make_schedule(start.spec));
    CHECK(free.loss <= least + 1e-7);
    CHECK(free.loss >= least - 2e-3);  // between the rates of the grid
    CHECK(free.schedule.front() == frame.peak);
  }
}

TEST_CASE("optimum schedule: the claims of arXiv:2408.11029 follow from its printed coefficients" * BITLAW_LONG_TEST) {
  const ScheduleLaw law("annealing", {}, {});
  double fraction = 0.3;
  for (const int steps : {20000, 50000}) {
    const ScheduleFrame frame{.peak = 2e-4, .least = 2e-6, .warmup = 500, .steps = steps};
    const BestSchedule wsd = best_schedule(law, kDemo, frame, ScheduleShape::Linear);
    if (steps == 20000) CHECK(wsd.loss < best_schedule(law, kDemo, frame, ScheduleShape::Cosine).loss);
    CHECK(wsd.spec.end == frame.least);
    CHECK(wsd.decay() < 0.95 * fraction * steps);  // a longer training anneals in a smaller part
    fraction = static_cast<double>(wsd.decay()) / steps;
    CHECK(fraction > 0.1);
    CHECK(fraction < 0.25);
  }
}

TEST_CASE("optimum schedule: rates, peaks and lengths whose best is no schedule are refused with the reason") {
  const ScheduleLaw annealing("annealing", {}, {}), multi_power("multi_power", {}, {});
  const auto refused = [](const ScheduleLaw& law, const ScheduleFrame& frame, const std::string& part) {
    try {
      check_frame(law, frame);
      FAIL("not refused: " << part);
    } catch (const InputError& error) {
      CAPTURE(error.what());
      CHECK(std::string(error.what()).find(part) != std::string::npos);
    }
  };
  const ScheduleFrame good{.peak = 2e-4, .least = 2e-6, .warmup = 500, .steps = 20000};
  check_frame(annealing, good);
  ScheduleFrame bad = good;
  bad.peak = 0;
  refused(annealing, bad, "every higher learning rate lowers the loss");
  bad = good;
  bad.least = 0;
  refused(annealing, bad, "steps with a learning rate of 0 train nothing, but the law says that they lower the loss");
  refused(multi_power, bad, "negative powers of the learning rate");
  bad = good;
  bad.steps = 500;
  refused(annealing, bad, "more steps always lower the predicted loss");
  // Each is so: laws-dynamics (a) padding with zeros, (b) scaling up, (c) a huge first rate and zeros behind it.
  const auto loss = [&](const Schedule& schedule) { return annealing.last_loss(kDemo, schedule); };
  Schedule schedule = make_schedule({.shape = ScheduleShape::Linear, .peak = 2e-4, .decay_from = 1500, .steps = 2000});
  const double before = loss(schedule);
  Schedule padded = schedule, scaled = schedule, huge(2001, 0.0);
  padded.resize(2500, 0.0);
  for (double& rate : scaled) rate *= 2;
  huge[0] = 1e3;
  CHECK(loss(padded) < before);
  CHECK(loss(scaled) < before);
  CHECK(loss(huge) < 0);
  CHECK_THROWS_AS(ScheduleLaw("chinchilla", {}, {}), InputError);
  CHECK_THROWS_AS(ScheduleLaw("continual", {}, {}), InputError);
  CHECK_THROWS_AS(ScheduleLaw("annealing_n", {}, {}), InputError);
  CHECK_THROWS_AS(ScheduleLaw("annealing", {}, {{"N", 1e9}}), InputError);
}

TEST_CASE("schedule bound: the terms of arXiv:2501.18965 for a constant, a linear and a WSD schedule of 400 steps") {
  const std::vector<double> constant(400, 1.0);
  std::vector<double> linear, wsd(320, 1.0);
  for (int i = 0; i < 400; ++i) linear.push_back(1 - i / 400.0);
  for (int i = 0; i < 80; ++i) wsd.push_back(1 - (i + 1) / 81.0);
  struct Row {
    const std::vector<double>& rates;
    double first, second, third, rate, bound, tolerance;
  };
  for (const Row& row : {Row{constant, .00125, .5, 3.2837148455882534, .0181759, .1375448, 1e-13},
                         Row{linear, .00249376559, .33375, .68141857, .0495631, .1006299, 1e-8},
                         Row{wsd, .00138888889, .48125286, 1.66557008, .0254352, .1092099, 1e-8}}) {
    const ScheduleBound bound = schedule_bound(row.rates);
    CHECK(bound.first == relative(row.first, std::max(row.tolerance, 4e-9)));
    CHECK(bound.second == relative(row.second, row.tolerance));
    CHECK(bound.third == relative(row.third, row.tolerance));
    CHECK(bound.best_rate() == relative(row.rate, 3e-6));  // printed to six digits
    CHECK(bound.at_best() == relative(row.bound, 5e-7));
    // At the best rate no other is better, and D and G only scale.
    const auto omega = [&](double rate) { return bound.first / rate + rate * (bound.second + bound.third); };
    CHECK(omega(bound.best_rate()) == relative(bound.at_best(), 1e-14));
    for (const double factor : {0.99, 1.01}) CHECK(omega(factor * bound.best_rate()) > bound.at_best());
    CHECK(schedule_bound(row.rates, 3, 2).at_best() == relative(6 * bound.at_best(), 1e-14));
  }
  // Steps at rate 0 at the end move nothing.
  std::vector<double> padded = linear;
  padded.resize(500, 0.0);
  CHECK(schedule_bound(padded).at_best() == schedule_bound(linear).at_best());
}

}  // namespace
}  // namespace bitlaw
