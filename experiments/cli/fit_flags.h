#pragma once

#include <memory>

#include "experiments/fits/fit_request.h"

namespace CLI {
class App;
}

namespace bitlaw {

/// The flags that say which data a verb takes: `words` says what the words without a flag are.
void add_data_flags(CLI::App& verb, const std::shared_ptr<FitRequest>& request, const std::string& words);

/// The flags that say how a law is fitted: what `bitlaw fit` and `compare` share.
void add_fit_flags(CLI::App& verb, const std::shared_ptr<FitRequest>& request);

}  // namespace bitlaw
