#pragma once

#include "core/record/fit_record.h"
#include "experiments/report/table.h"

namespace bitlaw {

/// How well predictions meet observations, a row per split or curve.
Table metrics_table(const FitRecord& fit);

}  // namespace bitlaw
