#pragma once

#include <string>
#include <vector>

#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// What the numbers of the observations themselves show to be wrong, before any fit: one sentence each, with what to
/// do. Looks for rows copied to the last digit, losses that are all equal, N or D in other units than one (too small
/// for any model, a jump by 10^5 between two of them, or a D/N that no one trains with), and no more than two runs
/// beyond the `unknowns` free parameters.
std::vector<std::string> data_warnings(const Law& law, const Observations& observations, std::size_t unknowns);

}  // namespace bitlaw
