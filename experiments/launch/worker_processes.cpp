#include "experiments/launch/worker_processes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include "core/base/file.h"
#include "experiments/launch/attempts.h"

namespace bitlaw {
namespace {

using Clock = std::chrono::steady_clock;

/// What a line between processes begins with; a place and the rest of the line follow.
enum class Word : char {
  Progressed = 'u',
  Published = 'p',
  Failed = 'x',
  Ended = 'e',
  Noted = 'n',
  Stopped = 's',
  OurError = '!'
};

/// A child's end: events become lines.
class LineEvents : public WorkerEvents {
 public:
  explicit LineEvents(int pipe) : pipe_(pipe) {}
  void progressed(std::size_t place, double flops) override {
    constexpr auto kInterval = std::chrono::milliseconds(100);
    if (Clock::now() - told_ < kInterval) return;
    told_ = Clock::now();
    send(Word::Progressed, place, fmt::format("{}", flops));
  }
  void published(std::size_t place) override { send(Word::Published, place, ""); }
  void failed(std::size_t place, const std::string& message) override { send(Word::Failed, place, message); }
  void ended(std::size_t place, const std::string& line) override { send(Word::Ended, place, line); }
  void noted(const std::string& line) override { send(Word::Noted, 0, line); }
  void stopped() override { send(Word::Stopped, 0, ""); }
  void our_error(const std::string& what) { send(Word::OurError, 0, what); }

 private:
  void send(Word word, std::size_t place, std::string text) const {
    std::replace(text.begin(), text.end(), '\n', ' ');
    const std::string line = fmt::format("{} {} {}\n", static_cast<char>(word), place, text);
    for (std::size_t sent = 0; sent < line.size();) {
      const ssize_t n = ::write(pipe_, line.data() + sent, line.size() - sent);
      if (n < 0 && errno != EINTR) return;  // the parent is gone, which the signal of its death tells as well
      if (n > 0) sent += static_cast<std::size_t>(n);
    }
  }

  int pipe_;
  Clock::time_point told_;  // the last one that was sent; first the beginning of the clock
};

class Processes {
 public:
  Processes(const std::vector<DueRun>& due, const RunStore& store, const LaunchOptions& options, WorkerEvents& events)
      : due_(due), store_(store), options_(options), events_(events), board_(count(), due.size(), options.memory) {}

  void work() {
    for (std::size_t number = 0; number < count(); ++number) start(number);
    while (!workers_.empty()) {
      if (options_.should_stop()) board_.ask_to_stop();
      listen();
    }
    if (!our_error_.empty()) throw std::runtime_error(our_error_);
  }

 private:
  struct Child {
    std::size_t number = 0;
    pid_t process = 0;
    std::string text;  ///< of the pipe, up to the last whole line
  };

  std::size_t count() const { return std::min(static_cast<std::size_t>(options_.workers), due_.size()); }

  void start(std::size_t number) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe: " + system_reason());
    std::fflush(nullptr);  // or a child would write it again
    const pid_t parent = ::getpid(), process = ::fork();
    if (process < 0) throw std::runtime_error("fork: " + system_reason());
    if (process == 0) {
      ::close(ends[0]);
      be_worker(number, ends[1], parent);
    }
    ::close(ends[1]);
    workers_[ends[0]] = {.number = number, .process = process, .text = {}};
  }

  /// A child's whole life.
  [[noreturn]] void be_worker(std::size_t number, int pipe, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // whoever kills the parent means all of it
    ::signal(SIGPIPE, SIG_IGN);
    int code = 0;
    LineEvents events(pipe);
    try {
      if (::getppid() == parent) bitlaw::work(due_, store_, options_, board_, number, events);
    } catch (const std::exception& error) {
      events.our_error(error.what());
      code = 1;
    } catch (...) {
      events.our_error("a worker ended with an unknown error");
      code = 1;
    }
    ::_exit(code);
  }

  void listen() {
    constexpr int kMilliseconds = 100;
    std::vector<pollfd> pipes;
    for (const auto& [pipe, child] : workers_) pipes.push_back({.fd = pipe, .events = POLLIN, .revents = 0});
    if (::poll(pipes.data(), pipes.size(), kMilliseconds) <= 0) return;
    for (const pollfd& pipe : pipes) {
      if (pipe.revents != 0) read_from(pipe.fd);
    }
  }

  void read_from(int pipe) {
    char buffer[1 << 14];
    const ssize_t n = ::read(pipe, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) return bury(pipe);
    std::string& text = workers_[pipe].text;
    text.append(buffer, static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      hear(text.substr(begin, end - begin));
      begin = end + 1;
    }
    text.erase(0, begin);
  }

  void hear(const std::string& line) {
    std::istringstream words(line);
    char word = 0;
    std::size_t place = 0;
    words >> word >> place;
    words.get();  // the blank
    std::string rest;
    std::getline(words, rest);
    switch (static_cast<Word>(word)) {
      case Word::Progressed:
        return events_.progressed(place, std::stod(rest));
      case Word::Published:
        return events_.published(place);
      case Word::Failed:
        return events_.failed(place, rest);
      case Word::Ended:
        if (ended_.insert(place).second) events_.ended(place, rest);  // several may find one run finished
        return;
      case Word::Noted:
        return events_.noted(rest);
      case Word::Stopped:
        return events_.stopped();
      case Word::OurError:
        our_error_ = rest;
        board_.ask_to_stop();
    }
  }

  void bury(int pipe) {
    const Child child = workers_[pipe];
    ::close(pipe);
    workers_.erase(pipe);
    int status = 0;
    while (::waitpid(child.process, &status, 0) < 0 && errno == EINTR) {
    }
    board_.release(child.number);
    for (std::size_t place = 0; place < due_.size(); ++place) {
      if (!ended_.contains(place)) board_.forget_publisher(place, child.number);
    }
    const bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (ended_well || !our_error_.empty()) return;
    events_.noted(
        fmt::format("worker process {} {}; the run that it held is tried again", child.process, end_of(status)));
    if (board_.stop_asked()) return;
    if (++restarts_ <= kMostAttempts * due_.size()) return start(child.number);
    our_error_ =
        fmt::format("worker processes end again and again, the last one {}", end_of(status));  // at no run's fault
    board_.ask_to_stop();
  }

  static std::string end_of(int status) {
    if (!WIFSIGNALED(status)) return fmt::format("exited with code {}", WEXITSTATUS(status));
    return fmt::format("was killed by signal {}{}", WTERMSIG(status),
                       WTERMSIG(status) == SIGKILL ? ", perhaps for lack of memory" : "");
  }

  const std::vector<DueRun>& due_;
  const RunStore& store_;
  const LaunchOptions& options_;
  WorkerEvents& events_;
  WorkerBoard board_;
  std::map<int, Child> workers_;  // by the pipe that they write to
  std::size_t restarts_ = 0;
  std::set<std::size_t> ended_;
  std::string our_error_;
};

}  // namespace

void work_in_processes(const std::vector<DueRun>& due, const RunStore& store, const LaunchOptions& options,
                       WorkerEvents& events) {
  Processes(due, store, options, events).work();
}

}  // namespace bitlaw
