#include "experiments/cli/fit_tables.h"

#include <fmt/format.h>

#include "experiments/report/numbers.h"

namespace bitlaw {

Table metrics_table(const FitRecord& fit) {
  Table table{.title = "Predictions against observations",
              .header = {"rows", "n", "R2", "MAE", "RMSE", "relative, mean", "relative, worst"},
              .rows = {},
              .notes = {}};
  for (const FitMetrics& m : fit.metrics) {
    table.rows.push_back({m.name, fmt::format("{}", m.count), fmt::format("{:.5f}", m.r2), format_value(m.mae),
                          format_value(m.rmse), format_value(m.relative_mean), format_value(m.relative_worst)});
  }
  return table;
}

}  // namespace bitlaw
