// Worker processes that end as no one asked them to, and the process that started them.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/base/error.h"
#include "experiments/launch/worker_processes.h"
#include "tests/experiments/launch/toy_runs.h"

namespace bitlaw {
namespace {

void wait_ms(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

TEST_CASE("workers: when they end before they have a run, again and again, the launch ends and says how") {
  const TemporaryFolder folder;
  ToyTrainer trainer;
  LaunchOptions options = quiet(trainer, 2);
  options.should_stop = [parent = ::getpid()] {
    if (::getpid() != parent) ::kill(::getpid(), SIGKILL);
    return false;
  };
  CHECK_THROWS_WITH_AS(
      launch(four_runs().runs, RunStore(folder.path()), options),
      "worker processes end again and again, the last one was killed by signal 9, perhaps for lack of memory",
      std::runtime_error);
}

TEST_CASE("workers: a reason of several lines is told whole, in one line, and costs no other run anything") {
  const TemporaryFolder folder;
  ToyTrainer trainer;
  LaunchOptions options = quiet(trainer, 2);
  options.runner = [](const TrainConfig& config, const TaskData& data, const TrainOptions& given) {
    if (config.tokens == 1024) throw InputError("p 0\np 1\nx 2 so");  // as lines between processes are
    return ToyTrainer()(config, data, given);
  };
  const LaunchResult result = launch(four_runs().runs, RunStore(folder.path()), options);
  CHECK(result.trained == 3);
  REQUIRE(result.failures.size() == 1);
  CHECK(result.failures[0].message == "p 0 p 1 x 2 so");
}

/// Whether a process does anything any more.
bool is_running(pid_t process) {
  std::ifstream stat(fmt::format("/proc/{}/stat", process));
  std::string number, name;
  char state = 'X';
  return stat >> number >> name >> state && state != 'Z' && state != 'X';
}

TEST_CASE("workers: they end when the process that started them is killed") {
  const TemporaryFolder folder, notes;
  const std::vector<PlannedRun> runs = four_runs().runs;
  const pid_t launcher = ::fork();
  if (launcher == 0) {
    ToyTrainer trainer;
    LaunchOptions options = quiet(trainer, 2);
    options.runner = [&](const TrainConfig&, const TaskData&, const TrainOptions&) -> std::optional<RunRecord> {
      notes.write(std::to_string(::getpid()), "");
      wait_ms(60'000);
      return std::nullopt;
    };
    launch(runs, RunStore(folder.path()), options);
    ::_exit(0);
  }
  std::vector<pid_t> workers;
  for (int wait = 0; workers.size() < 2 && wait < 30'000; wait += 10) {
    wait_ms(10);
    workers.clear();
    for (const auto& entry : std::filesystem::directory_iterator(notes.path())) {
      workers.push_back(static_cast<pid_t>(std::stoi(entry.path().filename().string())));
    }
  }
  REQUIRE(workers.size() == 2);
  for (const pid_t worker : workers) CHECK(is_running(worker));
  ::kill(launcher, SIGKILL);
  ::waitpid(launcher, nullptr, 0);
  for (const pid_t worker : workers) {
    for (int wait = 0; is_running(worker) && wait < 10'000; wait += 10) wait_ms(10);
    CHECK_FALSE(is_running(worker));
  }
}

}  // namespace
}  // namespace bitlaw
