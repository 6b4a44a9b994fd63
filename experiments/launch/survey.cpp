#include "experiments/launch/survey.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "core/base/build_info.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "experiments/launch/attempts.h"
#include "experiments/launch/claims.h"

namespace bitlaw {
namespace {

constexpr std::size_t kMostTimed = 200;

/// Of a run with a folder and without a result.
Standing standing_of(const std::filesystem::path& folder) {
  if (const auto claim = read_claim(folder)) {
    return life_of(claim->owner) == Life::Dead ? Standing::Stale : Standing::Running;
  }
  if (attempts_in(folder).size() >= kMostAttempts) return Standing::Failed;
  return file_exists(folder / "checkpoint") ? Standing::Started : Standing::New;
}

}  // namespace

Survey survey(const Experiment& experiment, const RunStore& store, Look look) {
  Survey survey;
  survey.standing.reserve(experiment.runs.size());
  std::vector<std::size_t> finished;
  const std::unordered_set<std::string> begun = store.begun();
  for (std::size_t i = 0; i < experiment.runs.size(); ++i) {
    const std::string& id = experiment.runs[i].id;
    const bool any = begun.contains(id);
    const bool done = any && file_exists(store.result(id));
    if (done) finished.push_back(i);
    survey.standing.push_back(done ? Standing::Done : any ? standing_of(store.folder(id)) : Standing::New);
  }
  const std::string machine = timed_on(1);
  const std::size_t stride = look == Look::Thorough ? 1 : finished.size() / kMostTimed + 1;
  std::vector<TimedRun> timed;
  for (std::size_t k = 0; k < finished.size(); k += stride) {
    const std::size_t i = finished[k];
    try {
      const std::optional<RunRecord> record = store.load(experiment.runs[i]);
      if (!record) continue;  // deleted meanwhile
      if (record->diverged) survey.standing[i] = Standing::Diverged;
      if (record->timed_on == machine && !record->diverged && record->stopped.empty())
        timed.push_back({experiment.runs[i].work, record->wall_seconds});
    } catch (const DamagedFile&) {
      survey.standing[i] = Standing::Damaged;
    }
  }
  while (timed.size() > kMostTimed) {  // every other one, so that all parts of the sweep stay
    std::vector<TimedRun> half;
    for (std::size_t k = 0; k < timed.size(); k += 2) half.push_back(timed[k]);
    timed = std::move(half);
  }
  survey.prices = PriceModel::calibrated(timed);
  return survey;
}

}  // namespace bitlaw
