#pragma once

#include <vector>

#include "core/record/fit_record.h"
#include "experiments/report/table.h"

namespace bitlaw {

/// What a fit rests on, a table each: directions that the data decide least, the observations of largest Cook's
/// distance, patterns in the residuals, runs without which estimates move most. Those without content are left out.
std::vector<Table> diagnosis_tables(const FitRecord& fit);

}  // namespace bitlaw
