#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/cli/fit_output.h"
#include "experiments/fits/given_schedule.h"

namespace bitlaw {

/// Curves that are to be predicted.
struct CurvesRequest {
  std::vector<std::string> schedules;  ///< texts or files, see given_schedule()
  std::vector<std::string> set;        ///< see given_schedule_law()
  std::optional<double> peak;          ///< of files of factors
  int every = 0;                       ///< steps between points; 0: a twentieth of the schedule
};

/// Prints the loss after every so many steps and after the last, with its bands, as a table or as JSON.
void predict_curves(const GivenScheduleLaw& given, const CurvesRequest& request, const FitOutput& output);

}  // namespace bitlaw
