#include "experiments/launch/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <list>
#include <new>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/file.h"
#include "experiments/launch/attempts.h"
#include "experiments/launch/claims.h"
#include "experiments/launch/progress.h"

namespace bitlaw {
namespace {

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

constexpr auto kStopPoll = std::chrono::milliseconds(100);  // while there is nothing to do but wait for others

class Worker {
 public:
  Worker(const std::vector<DueRun>& due, const RunStore& store, const LaunchOptions& options, WorkerBoard& board,
         std::size_t number, WorkerEvents& events)
      : runs_(due),
        store_(store),
        options_(options),
        board_(board),
        number_(number),
        events_(events),
        claims_(options.beat_seconds) {
    for (std::size_t place = 0; place < due.size(); ++place) due_.push_back(place);
  }

  void work() {
    while (const auto place = claim_next()) execute_or_fail(*place);
  }

 private:
  const PlannedRun& run_at(std::size_t place) const { return *runs_[place].run; }
  std::filesystem::path folder_of(std::size_t place) const { return store_.folder(run_at(place).id); }
  bool should_stop() const { return board_.stop_asked() || options_.should_stop(); }

  /// A run for this worker alone; nothing when there is none left for it, or it shall stop.
  std::optional<std::size_t> claim_next() {
    auto next_look = std::chrono::steady_clock::now();
    while (!should_stop() && !due_.empty()) {
      if (std::chrono::steady_clock::now() < next_look) {
        std::this_thread::sleep_for(kStopPoll);
        continue;
      }
      if (const auto place = claim_first()) return place;
      if (options_.others == Others::LeaveThemTo && others_live()) return std::nullopt;
      tell_once_of_waiting();
      next_look = std::chrono::steady_clock::now() +
                  std::chrono::duration_cast<std::chrono::steady_clock::duration>(look_interval());
    }
    return std::nullopt;
  }

  void tell_once_of_waiting() {
    if (options_.workers > 1 || std::exchange(told_of_waiting_, true) || due_.empty()) return;
    events_.noted(fmt::format("waiting for {} runs that other processes train", due_.size()));
  }

  std::chrono::duration<double> look_interval() const {
    return std::chrono::duration<double>(options_.beat_seconds / 5);
  }

  bool others_live() const {
    return std::all_of(due_.begin(), due_.end(),
                       [&](std::size_t place) { return claims_.seen_alive(folder_of(place)); });
  }

  /// Claims the first due run that is free and has room, and forgets on the way those that others have finished.
  std::optional<std::size_t> claim_first() {
    for (auto entry = due_.begin(); entry != due_.end();) {
      const std::size_t place = *entry;
      switch (look_at(place)) {
        case Look::Ours:
          due_.erase(entry);
          return place;
        case Look::Others:
          ++entry;
          break;
        case Look::Over:
          entry = due_.erase(entry);
      }
    }
    return std::nullopt;
  }

  enum class Look {
    Ours,
    Others,  ///< or there is no room for it
    Over
  };
  Look look_at(std::size_t place) {
    try {
      if (board_.has_failed(place)) return Look::Over;
      if (is_done(place)) return tell_done(place);
      if (!board_.reserve(number_, runs_[place].memory)) return Look::Others;
      const bool ours = claim(place);
      // Asked again: another may have finished it, or failed at it, just before letting its claim go.
      const bool failed = ours && board_.has_failed(place);
      if (ours && !failed && !is_done(place)) return Look::Ours;
      board_.release(number_);
      if (ours) claims_.release(folder_of(place));
      if (failed) return Look::Over;
      return is_done(place) ? tell_done(place) : Look::Others;
    } catch (const InputError& error) {
      board_.release(number_);
      tell_failed(place, error.what());
      return Look::Over;
    }
  }

  Look tell_done(std::size_t place) {
    if (!board_.is_published_here(place)) {
      events_.ended(place, fmt::format("{}: finished by another process", name_of(run_at(place))));
    }
    return Look::Over;
  }

  bool claim(std::size_t place) {
    store_.make_folder(run_at(place).id);
    return claims_.take(folder_of(place));
  }

  bool is_done(std::size_t place) const { return store_.state(run_at(place).id) == RunStore::State::Done; }

  void execute_or_fail(std::size_t place) {
    try {
      refuse_after_many_attempts(place);
      execute(place);
    } catch (const WriteError& error) {  // the disk's fault, not the run's
      fail(place, error.what(), std::nullopt);
    } catch (const GivenUp& reason) {
      fail(place, reason.message, std::nullopt);
    } catch (const std::bad_alloc&) {
      fail(place, memory_message(run_at(place).config(), options_.workers), FailureKind::OutOfMemory);
    } catch (const std::exception& error) {
      fail(place, error.what(), FailureKind::Error);
    }
    claims_.release(folder_of(place));
    board_.release(number_);
  }

  struct GivenUp {
    std::string message;
  };

  void refuse_after_many_attempts(std::size_t place) const {
    const std::vector<Attempt> attempts = attempts_in(folder_of(place));
    if (attempts.size() < kMostAttempts) return;
    throw GivenUp{fmt::format("not tried again after {} attempts, the last one: {}: {}; --retry-failed does",
                              attempts.size(), to_text(attempts.back().kind), attempts.back().message)};
  }

  void execute(std::size_t place) {
    const PlannedRun& run = run_at(place);
    store_.begin(run);
    std::optional<RunRecord> record = train_from_sound_checkpoint(place);
    if (!record) {
      if (claims_.holds(folder_of(place))) {
        events_.stopped();
      } else {
        due_.push_back(place);  // this process gave no sign for long, and another took the run over
      }
      return;
    }
    record->run_id = run.id;
    record->config = run.resolved();
    board_.set_publisher(place, number_);
    if (store_.finish(*record) == RunStore::Finish::WasThere) {
      board_.forget_publisher(place, number_);
      tell_done(place);
      return;
    }
    events_.published(place);
    events_.ended(place, outcome_line(run, *record));
  }

  std::optional<RunRecord> train_from_sound_checkpoint(std::size_t place) {
    try {
      return train_once(place);
    } catch (const DamagedFile& error) {
      const auto aside = set_aside(store_.checkpoint(run_at(place).id));
      events_.noted(fmt::format("{}: {}. It is now {}, and the run starts again", name_of(run_at(place)), error.what(),
                                aside.filename().string()));
      return train_once(place);
    }
  }

  std::optional<RunRecord> train_once(std::size_t place) {
    const PlannedRun& run = run_at(place);
    const std::filesystem::path folder = folder_of(place);
    const double all = run.counts.training_flops;
    const auto tell = [&](double flops) {
      events_.progressed(place, flops);
      claims_.tell_part(folder, flops / all);
    };
    return options_.runner(run.config(), *run.data,
                           {.identity = run.id,
                            .checkpoint = store_.checkpoint(run.id),
                            .checkpoint_seconds = options_.checkpoint_seconds,
                            .threads = options_.threads,
                            .on_progress = tell,
                            .should_stop = [&] { return should_stop() || !claims_.holds(folder); }});
  }

  /// `kind`: what counts as an attempt; nothing: does not count.
  void fail(std::size_t place, const std::string& message, std::optional<FailureKind> kind) {
    if (kind) {
      try {
        record_attempt(folder_of(place), {.kind = *kind, .message = message});
      } catch (const WriteError&) {  // then it does not count, which only means another attempt
      }
    }
    tell_failed(place, message);
  }

  void tell_failed(std::size_t place, const std::string& message) {
    board_.set_failed(place);
    events_.failed(place, message);
    events_.ended(place, fmt::format("{}: failed: {}", name_of(run_at(place)), message));
  }

  const std::vector<DueRun>& runs_;  // what follows counts places in it
  const RunStore& store_;
  const LaunchOptions& options_;
  WorkerBoard& board_;
  const std::size_t number_;
  WorkerEvents& events_;
  Claims claims_;
  bool told_of_waiting_ = false;
  std::list<std::size_t> due_;  // not finished, not failed and not held by this worker
};

}  // namespace

std::string name_of(const PlannedRun& run) { return run.label.empty() ? run.id.substr(0, 8) : run.label; }

void work(const std::vector<DueRun>& due, const RunStore& store, const LaunchOptions& options, WorkerBoard& board,
          std::size_t number, WorkerEvents& events) {
  Worker(due, store, options, board, number, events).work();
}

}  // namespace bitlaw
