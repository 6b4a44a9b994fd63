#pragma once

#include <string>
#include <vector>

#include "simulators/test_time/allocation.h"

namespace bitlaw {

/// Traces from the command line, and what prices each of their answerers.
struct PricedTraces {
  Traces traces;
  std::vector<InferenceSetting> settings;  ///< [answerers]
};

/// How traces are named, for people to read.
inline constexpr const char* kTracesPattern = "FILE, MODEL=FILE or MODEL,ATTENTION=FILE";

/// Reads all files, in their order, unpriced: models may be any words.
Traces read_answers(const std::vector<std::string>& words, int threads);

/// Reads all files, in their order. A word is kTracesPattern; a file whose own name has '=' is found first. InputError
/// where a file is no traces, where none has an answer, and where a model, an attention or a format is unknown.
PricedTraces read_traces(const std::vector<std::string>& words, int threads);

/// "qwen3-8b", and what else is not the default: "qwen3-8b top_k:1024 kv mxfp8".
std::string answerer_name(const AnswererWords& words);

}  // namespace bitlaw
