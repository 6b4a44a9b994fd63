#pragma once

#include <string>

#include "experiments/fits/fit_data.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// The law of this name: a registered one, or multi_power as it is before it has curves, without predictions.
const Law& law_called(const std::string& name);

/// Whether the law asked for is one of whole curves: multi_power, or one with the inputs S1 and S2, unless --map says
/// where these stand.
bool asks_for_curves(const FitRequest& request);

/// A law of curves and its data: each file is one curve with the columns step, loss and, unless --schedule says it, lr,
/// the learning rate of every step.
///
/// --schedule: one for all files or one for each, those of --test after the others; see schedule_text.h, or a table
/// with the columns of step and lr. --set: lambda (default 0.999; several with commas between: the one with the least
/// objective is taken), warmup (as_peak, the default, real_ramp or area_only, see Warmup), and for `continual`
/// transition, the step after which the data change. The curve of cosine.csv is called "cosine";
/// those of a/cosine.csv and b/cosine.csv "a/cosine" and "b/cosine".
FitProblem curve_problem(const FitRequest& request, int threads);

}  // namespace bitlaw
