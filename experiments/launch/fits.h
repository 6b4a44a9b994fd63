#pragma once

#include <span>
#include <vector>

#include "core/record/fit_record.h"
#include "core/record/run_record.h"
#include "experiments/sweep/fit_spec.h"

namespace bitlaw {

/// One fit for each group of runs that the spec makes. InputErrors start with the spec's place.
std::vector<FitRecord> fit_runs(const FitSpec& spec, std::span<const RunRecord> runs, int threads);

}  // namespace bitlaw
