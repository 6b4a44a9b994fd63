#pragma once

#include <string>

#include "core/base/error.h"
#include "simulators/task/corpus.h"

namespace bitlaw {

/// The whole message with which load_corpus refuses `spec`; empty when it does not.
inline std::string refusal(const CorpusSpec& spec) {
  try {
    load_corpus(spec);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

}  // namespace bitlaw
