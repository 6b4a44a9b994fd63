#include "experiments/report/curve_table.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace bitlaw {
namespace {

std::string number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

}  // namespace

std::string curve_csv(const RunRecord& run, const TrainConfig& config) {
  std::string text = "step,lr,train_loss,validation_loss\n";
  auto point = run.curve.begin();  // steps ascend
  for (std::int64_t step = 0; step < config.steps(); ++step) {
    while (point != run.curve.end() && point->step < step) ++point;
    const bool recorded = point != run.curve.end() && point->step == step;
    const double rate = config.optimizer.learning_rate * schedule_factor(config.schedule, step, config.steps());
    fmt::format_to(std::back_inserter(text), "{},{},{},{}\n", step, rate, recorded ? number(point->train_loss) : "",
                   recorded ? number(point->validation_loss) : "");
  }
  return text;
}

}  // namespace bitlaw
