#pragma once

#include <string>
#include <vector>

#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// Whether a law is of shares of a few answers: equal rows are then no copies, and residuals are skewed and of unequal
/// size without a fault of the law, so neither is tested.
bool is_share(const Law& law);

/// What the numbers of the observations themselves show to be wrong, before any fit: one sentence each, with what to
/// do. Looks for rows copied to the last digit, losses that are all equal, N or D in other units than one (too small
/// for any model, a jump by 10^5 between two of them, or a D/N that no one trains with), and no more than two runs
/// beyond the `unknowns` free parameters.
std::vector<std::string> data_warnings(const Law& law, const Observations& observations, std::size_t unknowns);

}  // namespace bitlaw
