#pragma once

#include <string>
#include <utility>
#include <vector>

#include "experiments/cli/fit_request.h"
#include "fitting/fit/observations.h"

namespace bitlaw {

/// The observations of one fit.
struct FitData {
  std::string name;  ///< of the group that --per makes
  Observations observations;
};

/// Reads the file (a .csv as a table, anything else as a sweep file) and selects as the spec says. InputErrors name the
/// flag or the place in the file.
std::vector<FitData> data_asked(const FitRequest& request, const FitSpec& spec);

bool is_csv(const std::string& file);

/// The items of --map, "N=params,D=tokens", in order.
std::vector<std::pair<std::string, std::string>> items_of_map(const std::string& columns);

/// Whether --map's name is loss, run or weight, which are no inputs of a law.
bool is_role(const std::string& name);

/// "key=value" in two. InputError that names the flag when it is not.
std::pair<std::string, std::string> key_and_value(const std::string& flag, const std::string& text);

}  // namespace bitlaw
