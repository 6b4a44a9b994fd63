#pragma once

#include <memory>

#include "experiments/cli/fit_request.h"

namespace CLI {
class App;
}

namespace bitlaw {

/// The file and every flag of a fit but --law: what `bitlaw fit`, `compare` and `predict` share.
void add_fit_flags(CLI::App& verb, const std::shared_ptr<FitRequest>& request);

}  // namespace bitlaw
