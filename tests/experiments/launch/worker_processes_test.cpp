#include "experiments/launch/worker_processes.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "core/base/file.h"
#include "experiments/launch/attempts.h"
#include "experiments/launch/available_memory.h"
#include "tests/experiments/launch/toy_runs.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

/// Files of a folder whose names begin so: what children leave behind, since they share no variables with a test.
std::size_t files_named(const TemporaryFolder& folder, const std::string& start) {
  return static_cast<std::size_t>(std::count_if(fs::directory_iterator(folder.path()), {}, [&](const auto& entry) {
    return entry.path().filename().string().starts_with(start);
  }));
}

/// Trains as ToyTrainer does, takes some time for it and leaves a file for each attempt; `body` comes first.
LaunchOptions noting(
    const TemporaryFolder& notes, int workers,
    const std::function<void(const TrainConfig&)>& body = [](const TrainConfig&) {}) {
  static ToyTrainer none;
  LaunchOptions options = quiet(none, workers);
  options.beat_seconds = 0.05;
  options.runner = [&notes, body](const TrainConfig& config, const TaskData& data, const TrainOptions& given) {
    for (int attempt = 0;; ++attempt) {
      if (write_new_file(notes / fmt::format("{}-{}", config.tokens, attempt), "")) break;
    }
    body(config);
    return ToyTrainer()(config, data, given);
  };
  return options;
}

void pause(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

/// The most runs that trained at once, counted by a file for each that trains. A run waits until as many as expected
/// have trained at once, however slow the machine, and then a little for one more, which should not come.
class Together {
 public:
  explicit Together(std::size_t expected) : expected_(expected) {}

  void operator()(const TrainConfig& config) const {
    const std::string mine = folder_.write(fmt::format("running-{}", config.tokens), "");
    folder_.write(fmt::format("together-{}", files_named(folder_, "running-")), "");
    for (int wait = 0; most() < expected_ && wait < 10'000; wait += 10) pause(10);
    pause(100);
    fs::remove(mine);
  }
  std::size_t most() const {
    std::size_t most = 8;
    while (most > 0 && files_named(folder_, fmt::format("together-{}", most)) == 0) --most;
    return most;
  }

 private:
  TemporaryFolder folder_;
  std::size_t expected_;
};

TEST_CASE("workers: any number of processes trains each run once and gives the same records") {
  for (const int workers : {2, 3, 16}) {
    CAPTURE(workers);
    const TemporaryFolder folder, notes;
    const Experiment experiment = four_runs();
    const LaunchResult result = launch(experiment.runs, RunStore(folder.path()), noting(notes, workers));
    CHECK(result.trained == 4);
    CHECK(result.failures.empty());
    CHECK_FALSE(result.stopped);
    CHECK(files_named(notes, "") == 4);
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(result.records[i]->loss == 2.0 + 100.0 / static_cast<double>(experiment.runs[i].tokens));
      CHECK(result.records[i]->config == experiment.runs[i].resolved());
    }
  }
}

TEST_CASE("workers: one that is killed costs its run one attempt, and no other run anything") {
  const TemporaryFolder folder, notes;
  const Experiment experiment = four_runs();
  const RunStore store(folder.path());
  std::string attempts;
  const LaunchResult result =
      launch(experiment.runs, store, noting(notes, 2, [&](const TrainConfig& config) {
               if (config.tokens != 2048) return pause(20);
               if (!fs::exists(notes / "2048-1")) ::kill(::getpid(), SIGKILL);
               const auto all = attempts_in(store.folder(experiment.runs[1].id));
               notes.write("attempts", fmt::format("{} {}", all.size(), to_text(all.at(0).kind)));
             }));
  CHECK(result.trained == 4);
  CHECK(result.failures.empty());
  CHECK(read_file(notes / "attempts") == "1 killed");
  CHECK(files_named(notes, "2048-") == 2);
  for (const char* other : {"512-", "1024-", "4096-"}) CHECK(files_named(notes, other) == 1);
}

TEST_CASE("workers: one that exits in the middle of a run is replaced, and the run is tried again") {
  const TemporaryFolder folder, notes;
  const LaunchResult result =
      launch(four_runs().runs, RunStore(folder.path()), noting(notes, 2, [&](const TrainConfig& config) {
               if (config.tokens == 2048 && !fs::exists(notes / "2048-1")) ::_exit(3);
             }));
  CHECK(result.trained == 4);
  CHECK(result.failures.empty());
  CHECK(files_named(notes, "2048-") == 2);
}

TEST_CASE("workers: a run that kills each of them is given up after three attempts, the others are done") {
  const TemporaryFolder folder, notes;
  const Experiment experiment = four_runs();
  const LaunchResult result =
      launch(experiment.runs, RunStore(folder.path()), noting(notes, 3, [](const TrainConfig& config) {
               if (config.tokens == 4096) ::kill(::getpid(), SIGKILL);
             }));
  CHECK(result.trained == 3);
  REQUIRE(result.failures.size() == 1);
  CHECK(result.failures[0].id == experiment.runs[3].id);
  CHECK(result.failures[0].message.find("attempts, the last one: killed: process ") != std::string::npos);
  // Four where one worker takes the run between another's clearing away a dead claim and its counting the attempt.
  CHECK(files_named(notes, "4096-") >= 3);
  CHECK(files_named(notes, "4096-") <= 4);
}

TEST_CASE("workers: a run that fails in one of them is not tried by the others of the same launch") {
  const TemporaryFolder folder, notes;
  const LaunchResult result =
      launch(four_runs().runs, RunStore(folder.path()), noting(notes, 3, [](const TrainConfig& config) {
               if (config.tokens == 512) refuse_writing("there", "No space left on device");
               pause(50);
             }));
  REQUIRE(result.failures.size() == 1);
  CHECK(result.failures[0].message.starts_with("there: cannot be written (No space left on device)"));
  CHECK(files_named(notes, "512-") == 1);
  CHECK(result.trained == 3);
}

TEST_CASE("workers: runs that fail at once fail once each, whoever looks at them in that instant") {
  std::vector<int> tokens(100);
  std::generate(tokens.begin(), tokens.end(), [n = 0]() mutable { return 512 * ++n; });
  const Experiment experiment =
      plan_text(small(fmt::format("sweep: {{grid: {{training.tokens: [{}]}}}}\n", fmt::join(tokens, ", "))));
  const TemporaryFolder folder, notes;
  const LaunchResult result =
      launch(experiment.runs, RunStore(folder.path()),
             noting(notes, 8, [](const TrainConfig&) { refuse_writing("there", "No space left on device"); }));
  CHECK(result.failures.size() == 100);
  CHECK(files_named(notes, "") == 100);
}

/// What a worker of a launch would print of runs that end.
struct EndLines : WorkerEvents {
  std::vector<std::string> lines;
  void progressed(std::size_t, double) override {}
  void published(std::size_t) override {}
  void failed(std::size_t, const std::string&) override {}
  void ended(std::size_t, const std::string& line) override { lines.push_back(line); }
  void noted(const std::string&) override {}
  void stopped() override {}
};

TEST_CASE("workers: who finds a result of another in the same launch leaves it to that one to tell of it") {
  const TemporaryFolder folder, notes;
  const Experiment experiment = four_runs();
  const RunStore store(folder.path());
  launch(experiment.runs, store, noting(notes, 1));
  std::vector<DueRun> due;
  for (const PlannedRun& run : experiment.runs) due.push_back({.run = &run});
  WorkerBoard board(3, due.size(), 0);
  board.set_publisher(1, 2);
  board.set_publisher(2, 1);
  board.forget_publisher(1, 0);  // another's
  board.forget_publisher(2, 1);  // as when it was killed before it told
  EndLines events;
  work(due, store, noting(notes, 3), board, 0, events);
  CHECK(events.lines == std::vector<std::string>{"tokens=512: finished by another process",
                                                 "tokens=1024: finished by another process",
                                                 "tokens=4096: finished by another process"});
}

TEST_CASE("workers: an error of ours in one of them ends the launch and is told") {
  const TemporaryFolder folder, notes;
  CHECK_THROWS_WITH_AS(launch(four_runs().runs, RunStore(folder.path()),
                              noting(notes, 2,
                                     [](const TrainConfig&) {
                                       throw 42;  // NOLINT: not a std::exception on purpose
                                     })),
                       "a worker ended with an unknown error", std::runtime_error);
}

TEST_CASE("workers: a stop that the parent is asked for reaches all of them") {
  const TemporaryFolder folder, notes;
  const Experiment experiment = four_runs();
  LaunchOptions options = noting(notes, 2);
  const pid_t parent = ::getpid();
  options.should_stop = [&] { return ::getpid() == parent && files_named(notes, "") == 2; };
  options.runner = [&](const TrainConfig& config, const TaskData&,
                       const TrainOptions& given) -> std::optional<RunRecord> {
    notes.write(std::to_string(config.tokens), "");
    while (!given.should_stop()) pause(1);
    return std::nullopt;
  };
  const LaunchResult result = launch(experiment.runs, RunStore(folder.path()), options);
  CHECK(result.stopped);
  CHECK(result.trained == 0);
  CHECK(files_named(notes, "") == 2);
  for (const PlannedRun& run : experiment.runs) CHECK_FALSE(fs::exists(folder.path() / "runs" / run.id / "claim"));
}

TEST_CASE("workers: as many runs train at once as fit into the memory, and one that does not fit trains alone") {
  struct Case {
    std::int64_t each, memory;
    std::size_t most;
  };
  constexpr std::int64_t kTB = 1'000'000'000'000;                            // far more than the process that asks
  for (const Case& c : {Case{1, 9, 4}, {4, 9, 2}, {4, 8, 1}, {40, 8, 1}}) {  // with a tenth to spare: 4.4 twice, not 8
    CAPTURE(c.each);
    CAPTURE(c.memory);
    const TemporaryFolder folder, notes;
    const Together together(c.most);
    LaunchOptions options = noting(notes, 4, std::cref(together));
    options.memory = c.memory * kTB;
    options.peak_memory = [&](const PlannedRun&, int) { return std::optional(c.each * kTB); };
    CHECK(launch(four_runs().runs, RunStore(folder.path()), options).trained == 4);
    CHECK(together.most() == c.most);
  }
}

TEST_CASE("workers: a run whose need is unknown trains alone") {
  constexpr std::int64_t kTB = 1'000'000'000'000;
  const TemporaryFolder folder, notes;
  const Together together(1);
  LaunchOptions options = noting(notes, 4, std::cref(together));
  options.memory = 8 * kTB;
  options.peak_memory = [](const PlannedRun&, int) { return std::optional<std::int64_t>(); };
  CHECK(launch(four_runs().runs, RunStore(folder.path()), options).trained == 4);
  CHECK(together.most() == 1);
}

TEST_CASE("workers: runs that differ in tokens and seed alone are looked at once for their memory") {
  const TemporaryFolder folder, notes;
  LaunchOptions options = noting(notes, 2);
  int looks = 0;
  options.memory = 1;
  options.peak_memory = [&](const PlannedRun&, int) {
    ++looks;
    return std::optional<std::int64_t>(0);
  };
  const Experiment experiment =
      plan_text(small("sweep: {grid: {training.tokens: [512, 1024], model.width: [16, 32]}, seeds: 2}\n"));
  CHECK(launch(experiment.runs, RunStore(folder.path()), options).trained == 8);
  CHECK(looks == 2);
}

TEST_CASE("available memory: the least of the machine's and of the limits of the group and those around it") {
  const TemporaryFolder root;
  const auto write = [&](const std::string& file, const std::string& content) {
    fs::create_directories((root.path() / file).parent_path());
    root.write(file, content);
  };
  CHECK(available_memory(root.path()) == std::numeric_limits<std::int64_t>::max());
  write("proc/meminfo", "MemTotal:  9000 kB\nMemFree: 10 kB\nMemAvailable:   4000 kB\n");
  CHECK(available_memory(root.path()) == 4000 * 1024);
  write("proc/self/cgroup", "0::/job/step\n");
  write("sys/fs/cgroup/job/step/memory.max", "max\n");
  write("sys/fs/cgroup/job/step/memory.current", "700000\n");
  CHECK(available_memory(root.path()) == 4000 * 1024);
  write("sys/fs/cgroup/job/memory.max", "1000000\n");
  write("sys/fs/cgroup/job/memory.current", "800000\n");
  write("sys/fs/cgroup/job/memory.stat", "anon 1\nfile 300000\ninactive_file 100000\n");
  CHECK(available_memory(root.path()) == 300000);
  write("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/a\n");
  write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "5000\n");
  write("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "2000\n");
  CHECK(available_memory(root.path()) == 3000);
  CHECK(available_memory() > 0);
}

}  // namespace
}  // namespace bitlaw
