#include "core/base/team.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

#include "core/base/check.h"

namespace bitlaw {
namespace {

thread_local Team* current = nullptr;  // null: this thread works alone

/// Returns once `value` is no longer `old`.
void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  constexpr int kLooks = 10000;  // some microseconds
  for (int i = 0; i < kLooks; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
  }
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

class Team {
 public:
  explicit Team(int threads) {
    try {
      for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { work(static_cast<std::size_t>(i)); });
    } catch (...) {  // no more threads to be had: those that there are must not be waited for
      stop_ = true;
      wake();
      throw;
    }
  }

  ~Team() {
    stop_ = true;
    wake();
  }

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls one(p) for p in [0, parts), each in a thread of its own; parts <= threads().
  void run(std::size_t parts, const std::function<void(std::size_t)>& one) {
    one_ = &one;
    errors_.assign(parts, nullptr);
    busy_ = static_cast<std::uint32_t>(workers_.size());
    wake();
    do_part(0);
    for (std::uint32_t busy = busy_; busy > 0; busy = busy_) wait_for_change(busy_, busy);
    for (const std::exception_ptr& error : errors_) {
      if (error) std::rethrow_exception(error);
    }
  }

 private:
  void wake() {
    ++rounds_;
    rounds_.notify_all();
  }

  void work(std::size_t index) {
    for (std::uint32_t seen = 0;; ++seen) {
      wait_for_change(rounds_, seen);
      if (stop_) return;
      if (index < errors_.size()) do_part(index);
      --busy_;
      busy_.notify_one();
    }
  }

  void do_part(std::size_t index) {
    try {
      const TeamScope alone(1);
      (*one_)(index);
    } catch (...) {
      errors_[index] = std::current_exception();
    }
  }

  const std::function<void(std::size_t)>* one_ = nullptr;
  std::vector<std::exception_ptr> errors_;  // one for each part
  std::atomic<std::uint32_t> rounds_ = 0;   // of work so far
  std::atomic<std::uint32_t> busy_ = 0;     // workers that have not ended this round
  std::atomic<bool> stop_ = false;
  std::vector<std::jthread> workers_;  // last: they end before what they use
};

TeamScope::TeamScope(int threads) : before_(current) {
  BITLAW_CHECK(threads >= 1, "{} threads", threads);
  if (threads > 1) own_ = std::make_unique<Team>(threads);
  current = own_.get();
}

TeamScope::~TeamScope() { current = before_; }

int team_threads() { return current == nullptr ? 1 : current->threads(); }

void team_parts(std::int64_t count, std::int64_t least, const std::function<void(std::int64_t, std::int64_t)>& part) {
  const std::int64_t parts = std::min<std::int64_t>(team_threads(), count / least);
  if (parts <= 1) return part(0, count);
  current->run(static_cast<std::size_t>(parts), [&](std::size_t p) {
    const auto index = static_cast<std::int64_t>(p);
    part(count * index / parts, count * (index + 1) / parts);
  });
}

}  // namespace bitlaw
