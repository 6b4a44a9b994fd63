#include "experiments/report/curve_table.h"

#include <doctest/doctest.h>

#include <limits>

using namespace bitlaw;

// By hand from schedule_factor(): a warmup of 2 steps, 1/2 and 1 of the peak, then 1 until it ends.
TEST_CASE("curve table: the rate of every step, losses where they were recorded") {
  RunRecord run;
  run.config = {{"model.context", std::int64_t{8}},     {"training.batch", std::int64_t{2}},
                {"training.tokens", std::int64_t{64}},  {"training.optimizer.learning_rate", 0.5},
                {"training.schedule.kind", "constant"}, {"training.schedule.warmup_steps", std::int64_t{2}},
                {"precision.fwd.x", "of no schedule"}};
  run.curve.push_back({.step = 0, .train_loss = 3, .validation_loss = 3.25});
  run.curve.push_back({.step = 2, .train_loss = 0.1});
  run.curve.push_back({.step = 3, .train_loss = std::numeric_limits<double>::infinity(), .validation_loss = 2});
  CHECK(curve_csv(run) ==
        "step,lr,train_loss,validation_loss\n"
        "0,0.25,3,3.25\n"
        "1,0.5,,\n"
        "2,0.5,0.1,\n"
        "3,0.5,,2\n");
}
