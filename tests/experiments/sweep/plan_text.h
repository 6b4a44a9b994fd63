#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "experiments/sweep/experiment.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {

/// What every test file starts with: a synthetic corpus of 4096 symbols and a model of 2 layers.
inline constexpr std::string_view kSmall =
    "experiment: tiny\n"
    "corpus: {kind: synthetic, vocabulary: 16, length: 4096}\n"
    "model: {layers: 2, width: 32, heads: 2, context: 16}\n"
    "training: {tokens: 1024, batch: 4, eval_tokens: 64}\n";

/// The experiment that `text` describes as the file x.yaml.
inline Experiment plan_text(std::string_view text, const std::vector<std::string>& overrides = {}) {
  const TemporaryFolder folder;
  return plan_experiment(folder.write("x.yaml", text), overrides);
}

/// The whole message that refuses `text`, with the file's folder taken off; "no error" when it is accepted.
inline std::string refusal(std::string_view text, const std::vector<std::string>& overrides = {}) {
  const TemporaryFolder folder;
  const std::string file = folder.write("x.yaml", text);
  std::string message = message_of([&] { plan_experiment(file, overrides); });
  const std::string prefix = folder.path().string() + "/";
  for (auto at = message.find(prefix); at != std::string::npos; at = message.find(prefix)) {
    message.erase(at, prefix.size());
  }
  return message;
}

/// kSmall followed by `more`, whose first line is line 5.
inline std::string small(std::string_view more) { return std::string(kSmall) + std::string(more); }

inline std::vector<std::string> ids(const Experiment& experiment) {
  std::vector<std::string> ids;
  for (const PlannedRun& run : experiment.runs) ids.push_back(run.id);
  return ids;
}

}  // namespace bitlaw
