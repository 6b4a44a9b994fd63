#pragma once

#include <memory>
#include <string>
#include <vector>

#include "experiments/fits/fit_request.h"

namespace CLI {
class App;
}

namespace bitlaw {

/// The flags that say which data a verb takes: `words` says what the words without a flag are.
void add_data_flags(CLI::App& verb, const std::shared_ptr<FitRequest>& request, const std::string& words);

/// The flags that say how a law is fitted: what `bitlaw fit` and `compare` share.
void add_fit_flags(CLI::App& verb, const std::shared_ptr<FitRequest>& request);

/// The words that may name files which the request reads, behind `others`.
std::vector<std::string> words_read(const FitRequest& request, std::vector<std::string> others = {});

}  // namespace bitlaw
