#include "core/record/run_groups.h"

#include <fmt/format.h>

#include <algorithm>

namespace bitlaw {
namespace {

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

}  // namespace

std::string task_of(const RunRecord& run) {
  const auto task = run.config.find(kTaskKey);
  const auto* name = task == run.config.end() ? nullptr : std::get_if<std::string>(&task->second);
  return name == nullptr ? "language_model" : *name;
}

std::vector<std::string> tasks_of(std::span<const RunRecord> runs) {
  std::vector<std::string> tasks;
  for (const RunRecord& run : runs) add_once(tasks, task_of(run));
  return tasks;
}

std::vector<std::string> corpora_of(std::span<const RunRecord> runs) {
  std::vector<std::string> corpora;
  for (const RunRecord& run : runs) {
    if (!run.corpus_fingerprint.empty()) add_once(corpora, run.corpus_fingerprint);
  }
  return corpora;
}

std::string several_corpora_text(std::span<const RunRecord> runs) {
  constexpr std::size_t kMostNamed = 4, kDigits = 8;
  const std::vector<std::string> corpora = corpora_of(runs);
  if (corpora.size() < 2) return "";
  std::string names;
  for (std::size_t i = 0; i < std::min(kMostNamed, corpora.size()); ++i) {
    names += (i == 0 ? "" : ", ") + corpora[i].substr(0, kDigits);
  }
  return fmt::format("{} corpora ({}{})", corpora.size(), names, corpora.size() > kMostNamed ? ", ..." : "");
}

}  // namespace bitlaw
