#include "experiments/launch/fits.h"

#include "fitting/fit/fit.h"

namespace bitlaw {

std::vector<FitRecord> fit_runs(const FitSpec& spec, std::span<const RunRecord> runs, int threads) {
  const Law& law = law_of(spec);
  const FitOptions options = fit_options(spec, threads);
  std::vector<FitRecord> fits;
  for (const FitGroup& group : fit_groups(spec, runs)) {
    std::vector<RunRecord> members;
    for (const std::size_t i : group.runs) members.push_back(runs[i]);
    try {
      fits.push_back(fit_law(law, observations_from_runs(law, members), options, group.name));
    } catch (const InputError& error) {
      throw InputError(spec.place, error.what());
    }
  }
  return fits;
}

}  // namespace bitlaw
