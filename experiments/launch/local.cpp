#include "experiments/launch/local.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <list>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "core/base/file.h"
#include "experiments/launch/attempts.h"
#include "experiments/launch/claims.h"

namespace bitlaw {
namespace {

std::string name_of(const PlannedRun& run) { return run.label.empty() ? run.id.substr(0, 8) : run.label; }

std::string outcome_line(const PlannedRun& run, const RunRecord& record) {
  const TaskKind task = run.config().task;
  const bool in_nats = task == TaskKind::LanguageModel || task == TaskKind::Classification;
  const std::string how =
      record.diverged ? "diverged" : fmt::format("loss {:.4f}{}", record.loss, in_nats ? " nat" : "");
  const std::string early = record.stopped.empty() ? "" : fmt::format(", stopped early ({})", record.stopped);
  return fmt::format("{}: {} in {}{}", name_of(run), how, duration_text(record.wall_seconds), early);
}

std::string memory_message(const TrainConfig& config, int workers) {
  return fmt::format(
      "there is not enough memory for a model of {} parameters with {} tokens per step beside {} other "
      "workers; choose a smaller training.batch or fewer --workers",
      parameter_count(config.model), config.tokens_per_step(), workers - 1);
}

/// Runs not known to have a result, the largest first; equals in their order.
std::vector<std::size_t> due_runs(const std::vector<PlannedRun>& runs, const RunStore& store,
                                  const LaunchResult& result) {
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const bool done = result.records[i] || store.state(runs[i].id) == RunStore::State::Done;
    if (!done) due.push_back(i);
  }
  std::stable_sort(due.begin(), due.end(), [&](std::size_t a, std::size_t b) {
    return runs[a].counts.training_flops > runs[b].counts.training_flops;
  });
  return due;
}

constexpr auto kStopPoll = std::chrono::milliseconds(100);  // while there is nothing to do but wait for others

/// Threads that claim due runs.
class Workers {
 public:
  Workers(const std::vector<PlannedRun>& runs, const RunStore& store, const LaunchOptions& options,
          LaunchResult& result)
      : runs_(runs),
        store_(store),
        options_(options),
        result_(result),
        order_(due_runs(runs, store, result)),
        progress_(options.log, options.terminal, flops_of_due()),
        claims_(options.beat_seconds) {
    for (std::size_t next = 0; next < order_.size(); ++next) due_.push_back(next);
  }

  void work() {
    const auto count = std::min(static_cast<std::size_t>(std::max(1, options_.workers)), due_.size());
    {
      std::vector<std::jthread> threads;  // their end joins them, also when one of them cannot be started
      for (std::size_t i = 0; i < count; ++i) threads.emplace_back([this] { keep_exception(); });
    }
    progress_.close();
    if (exception_) std::rethrow_exception(exception_);
    if (options_.should_stop() && !due_.empty()) result_.stopped = true;
    if (!result_.stopped) result_.with_others = due_.size();
  }

 private:
  std::vector<double> flops_of_due() const {
    std::vector<double> flops;
    for (const std::size_t i : order_) flops.push_back(runs_[i].counts.training_flops);
    return flops;
  }

  const PlannedRun& run_of(std::size_t next) const { return runs_[order_[next]]; }
  std::filesystem::path folder_of(std::size_t next) const { return store_.folder(run_of(next).id); }

  void keep_exception() {
    try {
      while (const auto next = claim_next()) execute_or_fail(*next);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!exception_) exception_ = std::current_exception();
    }
  }

  /// A run for this thread alone; nothing when there is none left for this process, or it shall stop.
  std::optional<std::size_t> claim_next() {
    std::unique_lock lock(mutex_);
    auto last_look = std::chrono::steady_clock::time_point::min();
    while (!options_.should_stop() && !due_.empty()) {
      const auto now = std::chrono::steady_clock::now();
      if (last_look == std::chrono::steady_clock::time_point::min() || now - last_look > look_interval()) {
        last_look = now;
        if (const auto next = claim_first()) return next;
        if (options_.others == Others::LeaveThemTo && others_live()) return std::nullopt;
        tell_once_of_waiting();
        continue;
      }
      lock.unlock();
      std::this_thread::sleep_for(kStopPoll);
      lock.lock();
    }
    return std::nullopt;
  }

  void tell_once_of_waiting() {
    if (std::exchange(told_of_waiting_, true) || due_.empty()) return;
    progress_.note(fmt::format("waiting for {} runs that other processes train", due_.size()));
  }

  std::chrono::duration<double> look_interval() const {
    return std::chrono::duration<double>(options_.beat_seconds / 5);
  }

  bool others_live() const {
    return std::all_of(due_.begin(), due_.end(), [&](std::size_t next) { return claims_.seen_alive(folder_of(next)); });
  }

  /// Claims the first due run that is free, and forgets on the way those that others have finished.
  std::optional<std::size_t> claim_first() {
    for (auto entry = due_.begin(); entry != due_.end();) {
      const std::size_t next = *entry;
      try {
        const bool ours = !is_done(next) && claim(next);
        if (ours && !is_done(next)) {  // asked again: it may have been finished just before its claim went
          due_.erase(entry);
          return next;
        }
        if (ours) claims_.release(folder_of(next));
        if (!ours && !is_done(next)) {
          ++entry;
          continue;
        }
        progress_.finish(next, fmt::format("{}: finished by another process", name_of(run_of(next))));
      } catch (const InputError& error) {
        add_failure(next, error.what());
      }
      entry = due_.erase(entry);
    }
    return std::nullopt;
  }

  bool claim(std::size_t next) {
    store_.make_folder(run_of(next).id);
    return claims_.take(folder_of(next));
  }

  bool is_done(std::size_t next) const { return store_.state(run_of(next).id) == RunStore::State::Done; }

  void execute_or_fail(std::size_t next) {
    try {
      refuse_after_many_attempts(next);
      execute(next);
    } catch (const WriteError& error) {  // the disk's fault, not the run's
      fail(next, error.what(), std::nullopt);
    } catch (const GivenUp& reason) {
      fail(next, reason.message, std::nullopt);
    } catch (const std::bad_alloc&) {
      fail(next, memory_message(run_of(next).config(), options_.workers), FailureKind::OutOfMemory);
    } catch (const std::exception& error) {
      fail(next, error.what(), FailureKind::Error);
    }
    claims_.release(folder_of(next));
  }

  struct GivenUp {
    std::string message;
  };

  void refuse_after_many_attempts(std::size_t next) const {
    const std::vector<Attempt> attempts = attempts_in(folder_of(next));
    if (attempts.size() < kMostAttempts) return;
    if (options_.retry_failed) return forget_attempts(folder_of(next));
    throw GivenUp{fmt::format("not tried again after {} attempts, the last one: {}: {}; --retry-failed does",
                              attempts.size(), to_text(attempts.back().kind), attempts.back().message)};
  }

  void execute(std::size_t next) {
    const PlannedRun& run = run_of(next);
    store_.begin(run);
    std::optional<RunRecord> record = train_from_sound_checkpoint(next);
    if (!record) {
      const std::lock_guard lock(mutex_);
      if (claims_.holds(folder_of(next))) {
        result_.stopped = true;
      } else {
        due_.push_back(next);  // this process gave no sign for long, and another took the run over
      }
      return;
    }
    record->run_id = run.id;
    record->config = run.resolved();
    const bool published = store_.finish(*record) == RunStore::Finish::Published;
    progress_.finish(
        next, published ? outcome_line(run, *record) : fmt::format("{}: finished by another process", name_of(run)));
    const std::lock_guard lock(mutex_);
    if (published) ++result_.trained;
    if (options_.load_results) result_.records[order_[next]] = std::move(record);
  }

  std::optional<RunRecord> train_from_sound_checkpoint(std::size_t next) {
    try {
      return train_once(next);
    } catch (const DamagedFile& error) {
      const auto aside = set_aside(store_.checkpoint(run_of(next).id));
      progress_.note(fmt::format("{}: {}. It is now {}, and the run starts again", name_of(run_of(next)), error.what(),
                                 aside.filename().string()));
      return train_once(next);
    }
  }

  std::optional<RunRecord> train_once(std::size_t next) {
    const PlannedRun& run = run_of(next);
    const std::filesystem::path folder = folder_of(next);
    const double all = run.counts.training_flops;
    const auto tell = [&](double flops) {
      progress_.update(next, flops);
      claims_.tell_part(folder, flops / all);
    };
    return options_.runner(run.config(), *run.data,
                           {.identity = run.id,
                            .checkpoint = store_.checkpoint(run.id),
                            .checkpoint_seconds = options_.checkpoint_seconds,
                            .threads = options_.threads,
                            .on_progress = tell,
                            .should_stop = [&] { return options_.should_stop() || !claims_.holds(folder); }});
  }

  /// `kind`: what counts as an attempt; nothing: does not count.
  void fail(std::size_t next, const std::string& message, std::optional<FailureKind> kind) {
    if (kind) {
      try {
        record_attempt(folder_of(next), {.kind = *kind, .message = message});
      } catch (const WriteError&) {  // then it does not count, which only means another attempt
      }
    }
    const std::lock_guard lock(mutex_);
    add_failure(next, message);
  }

  void add_failure(std::size_t next, const std::string& message) {
    const PlannedRun& run = run_of(next);
    progress_.finish(next, fmt::format("{}: failed: {}", name_of(run), message));
    result_.failures.push_back({run.id, run.label, message});
  }

  const std::vector<PlannedRun>& runs_;
  const RunStore& store_;
  const LaunchOptions& options_;
  LaunchResult& result_;
  const std::vector<std::size_t> order_;  // indices of runs; the rest counts places in it
  Progress progress_;
  Claims claims_;
  std::mutex mutex_;  // of what follows and result_
  bool told_of_waiting_ = false;
  std::list<std::size_t> due_;    // not finished, not failed here and not held by this process
  std::exception_ptr exception_;  // the first that no run's failure stands for
};

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
  Workers(runs, store, options, result).work();
  if (options.load_results && !result.stopped) {
    load_results(runs, store, options.log, result);
    add_lost_results(runs, result);
  }
  return result;
}

}  // namespace bitlaw
