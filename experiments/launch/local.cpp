#include "experiments/launch/local.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/file.h"
#include "experiments/launch/attempts.h"
#include "experiments/launch/run_memory.h"
#include "experiments/launch/worker.h"
#include "experiments/launch/worker_processes.h"

namespace bitlaw {
namespace {

/// Runs not known to have a result, the largest first; equals in their order.
std::vector<DueRun> due_runs(const std::vector<PlannedRun>& runs, const RunStore& store, const LaunchResult& result) {
  std::vector<DueRun> due;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const bool done = result.records[i] || store.state(runs[i].id) == RunStore::State::Done;
    if (!done) due.push_back({.run = &runs[i]});
  }
  std::stable_sort(due.begin(), due.end(), [](const DueRun& a, const DueRun& b) {
    return a.run->counts.training_flops > b.run->counts.training_flops;
  });
  return due;
}

std::vector<double> flops_of(const std::vector<DueRun>& due) {
  std::vector<double> flops;
  for (const DueRun& one : due) flops.push_back(one.run->counts.training_flops);
  return flops;
}

/// What workers tell becomes the launch's result, and progress for people.
class Told : public WorkerEvents {
 public:
  Told(const std::vector<DueRun>& due, const LaunchOptions& options, LaunchResult& result)
      : due_(due), result_(result), progress_(options.log, options.terminal, flops_of(due)) {}
  ~Told() override { progress_.close(); }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;

  void progressed(std::size_t place, double flops) override { progress_.update(place, flops); }
  void published(std::size_t) override { ++result_.trained; }
  void failed(std::size_t place, const std::string& message) override {
    const PlannedRun& run = *due_[place].run;
    result_.failures.push_back({run.id, run.label, message});
  }
  void ended(std::size_t place, const std::string& line) override { progress_.finish(place, line); }
  void noted(const std::string& line) override { progress_.note(line); }
  void stopped() override { result_.stopped = true; }

 private:
  const std::vector<DueRun>& due_;
  LaunchResult& result_;
  Progress progress_;
};

void train_due(std::vector<DueRun> due, const RunStore& store, const LaunchOptions& options, LaunchResult& result) {
  if (due.empty()) return;
  for (const DueRun& one : due) {
    const std::filesystem::path folder = store.folder(one.run->id);
    if (options.retry_failed && attempts_in(folder).size() >= kMostAttempts) forget_attempts(folder);
  }
  const bool alone = options.workers <= 1 || due.size() == 1;
  if (!alone && options.peak_memory) predict_memory(due, options);
  Told told(due, options, result);
  if (alone) {
    WorkerBoard board(1, due.size(), options.memory);
    work(due, store, options, board, 0, told);
  } else {
    work_in_processes(due, store, options, told);
  }
}

/// How many of the runs have neither a result nor failed here.
std::size_t unfinished(const std::vector<PlannedRun>& runs, const RunStore& store, const LaunchResult& result) {
  return static_cast<std::size_t>(std::count_if(runs.begin(), runs.end(), [&](const PlannedRun& run) {
    const bool failed = std::any_of(result.failures.begin(), result.failures.end(),
                                    [&](const RunFailure& failure) { return failure.id == run.id; });
    return !failed && store.state(run.id) != RunStore::State::Done;
  }));
}

/// Loads each result that is there and not yet loaded. Tells of damaged ones, which are set aside: their runs are due.
void load_results(const std::vector<PlannedRun>& runs, const RunStore& store, std::FILE* log, LaunchResult& result) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (result.records[i]) continue;
    try {
      result.records[i] = store.load(runs[i]);
    } catch (const DamagedFile& error) {
      const auto aside = set_aside(store.result(runs[i].id));
      fmt::print(log, "{}: {}. It is now {}, and the run is trained again\n", name_of(runs[i]), error.what(),
                 aside.filename().string());
    }
  }
}

/// Results that were there when their runs were passed over, and are not any more.
void add_lost_results(const std::vector<PlannedRun>& runs, LaunchResult& result) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const bool failed = std::any_of(result.failures.begin(), result.failures.end(),
                                    [&](const RunFailure& failure) { return failure.id == runs[i].id; });
    if (result.records[i] || failed) continue;
    result.failures.push_back(
        {runs[i].id, runs[i].label, "its result was damaged or deleted meanwhile, so the run is due again"});
  }
}

}  // namespace

LaunchResult launch(const std::vector<PlannedRun>& runs, const RunStore& store, const LaunchOptions& options) {
  LaunchResult result;
  result.records.resize(runs.size());
  if (options.load_results) load_results(runs, store, options.log, result);
  train_due(due_runs(runs, store, result), store, options, result);
  const std::size_t rest = unfinished(runs, store, result);
  if (options.should_stop() && rest > 0) result.stopped = true;
  if (!result.stopped) result.with_others = rest;
  if (options.load_results && !result.stopped) {
    load_results(runs, store, options.log, result);
    add_lost_results(runs, result);
  }
  return result;
}

}  // namespace bitlaw
