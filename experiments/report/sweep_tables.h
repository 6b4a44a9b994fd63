#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/record/sweep_file.h"
#include "experiments/report/table.h"

namespace bitlaw {

/// Calls body(task, the sweep with the runs of this task and all fits) for each task, since the losses of two are
/// different quantities; body("", sweep) where there are no two. What takes a sweep below takes one of one task, but
/// for runs_text() and no_fit_text().
void for_each_task(const SweepFile& sweep,
                   const std::function<void(const std::string& task, const SweepFile& part)>& body);

/// Held-out loss, a row per precision and N, a column per D: mean over all runs that share these (seeds, and whatever
/// else the sweep varies), ± its standard error from two runs on. Notes say what else varies,
/// several corpora and the entropy rate of a synthetic source.
Table loss_table(const SweepFile& sweep);

/// Each precision's penalty against the baseline, between runs that differ in nothing else.
Table penalty_table(const SweepFile& sweep);

/// "96 runs", or how many of the planned ones are there.
std::string runs_text(const SweepFile& sweep);

/// Why the report shows no law.
std::string no_fit_text(const SweepFile& sweep);

/// What the penalties say, in sentences; says so too when there is nothing to compare.
std::vector<std::string> verdicts(const SweepFile& sweep);

/// Parameters of one fit with both intervals, its equation as title, status and warnings as notes.
Table fit_table(const FitRecord& fit);

/// "converged; cost 1.2e-05; ...": how far the numbers of a fit can be trusted, in one line.
std::string fit_status(const FitRecord& fit);

/// "95 %", of a fit's intervals.
std::string level_text(const FitRecord& fit);

}  // namespace bitlaw
