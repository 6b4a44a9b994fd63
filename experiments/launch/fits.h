#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/record/fit_record.h"
#include "core/record/run_record.h"
#include "experiments/sweep/fit_spec.h"

namespace bitlaw {

/// One fit for each group of runs that the spec makes. InputErrors start with the spec's place.
std::vector<FitRecord> fit_runs(const FitSpec& spec, std::span<const RunRecord> runs, int threads);

/// A fit as one JSON object: parameters by name, the verdict, and one entry per observation. NaN becomes null.
std::string fit_to_json(const FitRecord& fit);

}  // namespace bitlaw
