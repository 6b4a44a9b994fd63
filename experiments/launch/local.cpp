#include "experiments/launch/local.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <thread>

namespace bitlaw {
namespace {

/// Indices of the runs without a result, the largest first; equals in their order.
std::vector<std::size_t> due_runs(const std::vector<PlannedRun>& runs, const LaunchResult& result) {
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!result.records[i]) due.push_back(i);
  }
  std::stable_sort(due.begin(), due.end(), [&](std::size_t a, std::size_t b) {
    return runs[a].counts.training_flops > runs[b].counts.training_flops;
  });
  return due;
}

std::string name_of(const PlannedRun& run) { return run.label.empty() ? run.id.substr(0, 8) : run.label; }

std::string outcome_line(const PlannedRun& run, const RunRecord& record) {
  const TaskKind task = run.config().task;
  const bool in_nats = task == TaskKind::LanguageModel || task == TaskKind::Classification;
  const std::string how =
      record.diverged ? "diverged" : fmt::format("loss {:.4f}{}", record.loss, in_nats ? " nat" : "");
  return fmt::format("{}: {} in {}", name_of(run), how, duration_text(record.wall_seconds));
}

std::string memory_message(const TrainConfig& config, int workers) {
  return fmt::format(
      "there is not enough memory for a model of {} parameters with {} tokens per step beside {} other "
      "workers; choose a smaller training.batch or fewer --workers",
      parameter_count(config.model), config.tokens_per_step(), workers - 1);
}

/// Threads that take the due runs from one list.
class Workers {
 public:
  Workers(const std::vector<PlannedRun>& runs, const RunStore& store, const LaunchOptions& options,
          LaunchResult& result)
      : runs_(runs),
        store_(store),
        options_(options),
        result_(result),
        due_(due_runs(runs, result)),
        progress_(options.log, options.terminal, flops_of_due()) {}

  void work() {
    const auto count = std::min(static_cast<std::size_t>(std::max(1, options_.workers)), due_.size());
    {
      std::vector<std::jthread> threads;  // their end joins them, also when one of them cannot be started
      for (std::size_t i = 0; i < count; ++i) threads.emplace_back([this] { keep_exception(); });
    }
    progress_.close();
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  std::vector<double> flops_of_due() const {
    std::vector<double> flops;
    for (const std::size_t i : due_) flops.push_back(runs_[i].counts.training_flops);
    return flops;
  }

  void keep_exception() {
    try {
      take_runs();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!exception_) exception_ = std::current_exception();
    }
  }

  void take_runs() {
    while (!options_.should_stop()) {
      const std::size_t next = next_.fetch_add(1);
      if (next >= due_.size()) return;
      try {
        execute(next);
      } catch (const std::bad_alloc&) {
        fail(next, memory_message(runs_[due_[next]].config(), options_.workers));
      } catch (const std::exception& error) {
        fail(next, error.what());
      }
    }
    const std::lock_guard lock(mutex_);
    if (next_.load() < due_.size()) result_.stopped = true;
  }

  void execute(std::size_t next) {
    const PlannedRun& run = runs_[due_[next]];
    store_.begin(run);
    std::optional<RunRecord> record =
        options_.runner(run.config(), *run.data,
                        {.identity = run.id,
                         .checkpoint = store_.checkpoint(run.id),
                         .checkpoint_seconds = options_.checkpoint_seconds,
                         .threads = options_.threads,
                         .on_progress = [&](double flops) { progress_.update(next, flops); },
                         .should_stop = options_.should_stop});
    if (!record) {
      const std::lock_guard lock(mutex_);
      result_.stopped = true;
      return;
    }
    record->run_id = run.id;
    record->config = run.resolved();
    store_.finish(*record);
    progress_.finish(next, outcome_line(run, *record));
    const std::lock_guard lock(mutex_);
    ++result_.trained;
    result_.records[due_[next]] = std::move(record);
  }

  void fail(std::size_t next, const std::string& message) {
    const PlannedRun& run = runs_[due_[next]];
    progress_.finish(next, fmt::format("{}: failed: {}", name_of(run), message));
    const std::lock_guard lock(mutex_);
    result_.failures.push_back({run.id, run.label, message});
  }

  const std::vector<PlannedRun>& runs_;
  const RunStore& store_;
  const LaunchOptions& options_;
  LaunchResult& result_;
  const std::vector<std::size_t> due_;
  Progress progress_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;              // of result_ and exception_
  std::exception_ptr exception_;  // the first that no run's failure stands for
};

}  // namespace

LaunchResult launch(const std::vector<PlannedRun>& runs, const RunStore& store, const LaunchOptions& options) {
  LaunchResult result;
  for (const PlannedRun& run : runs) result.records.push_back(store.load(run));
  Workers(runs, store, options, result).work();
  return result;
}

}  // namespace bitlaw
