#pragma once

#include <string>
#include <vector>

#include "simulators/test_time/allocation.h"

namespace CLI {
class App;
}

namespace bitlaw {

/// Traces from the command line, and what prices each of their answerers.
struct PricedTraces {
  Traces traces;
  std::vector<InferenceSetting> settings;  ///< [answerers]
};

/// Adds the files of traces, FILE, MODEL=FILE or MODEL,ATTENTION=FILE, with a `note` in its help.
void add_traces_argument(CLI::App& verb, std::vector<std::string>& words, const std::string& note);

/// Reads all files, in their order, unpriced: models may be any words.
Traces read_answers(const std::vector<std::string>& words, int threads);

/// Reads all files, in their order. A word is as above; a file whose own name has '=' is found first. InputError
/// where a file is no traces, where none has an answer, and where a model, an attention or a format is unknown.
PricedTraces read_traces(const std::vector<std::string>& words, int threads);

/// "qwen3-8b", and what else is not the default: "qwen3-8b top_k:1024 kv mxfp8".
std::string answerer_name(const AnswererWords& words);

}  // namespace bitlaw
