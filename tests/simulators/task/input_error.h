#pragma once

#include <string>

#include "simulators/task/corpus.h"
#include "tests/support/message_of.h"

namespace bitlaw {

/// The whole message with which load_corpus refuses `spec`, or "no error".
inline std::string refusal(const CorpusSpec& spec) {
  return message_of([&] { load_corpus(spec); });
}

}  // namespace bitlaw
