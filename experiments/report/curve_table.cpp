#include "experiments/report/curve_table.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <vector>

#include "experiments/sweep/learning_rates.h"

namespace bitlaw {
namespace {

std::string number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

}  // namespace

std::string curve_csv(const RunRecord& run) {
  const std::vector<double> rates = learning_rates(run);
  std::string text = "step,lr,train_loss,validation_loss\n";
  auto point = run.curve.begin();  // steps ascend
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const auto step = static_cast<std::int64_t>(i);
    while (point != run.curve.end() && point->step < step) ++point;
    const bool recorded = point != run.curve.end() && point->step == step;
    fmt::format_to(std::back_inserter(text), "{},{},{},{}\n", step, rates[i], recorded ? number(point->train_loss) : "",
                   recorded ? number(point->validation_loss) : "");
  }
  return text;
}

}  // namespace bitlaw
