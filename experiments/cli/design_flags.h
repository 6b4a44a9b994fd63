#pragma once

#include <optional>

#include "experiments/launch/next_runs.h"

namespace CLI {
class App;
}

namespace bitlaw {

/// What runs are to be chosen for, by flag.
struct DesignArguments {
  NextRequest request;                   ///< without the budget
  std::optional<double> flops, seconds;  ///< the budget

  /// InputError unless there is one budget.
  NextRequest next_request() const;
};

/// Adds --budget, --seconds, --at, --parameter and --fit.
void add_design_flags(CLI::App& verb, DesignArguments& arguments);

}  // namespace bitlaw
