#include "experiments/launch/local.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <new>
#include <thread>

#include "core/base/file.h"
#include "core/record/run_json.h"
#include "experiments/launch/attempts.h"
#include "experiments/launch/claims.h"
#include "simulators/train/checkpoint.h"
#include "tests/experiments/launch/toy_runs.h"

namespace bitlaw {
namespace {

TEST_CASE("launch: the largest runs start first and records keep the order of the plan") {
  const TemporaryFolder folder;
  const Experiment experiment = four_runs();
  ToyTrainer trainer;
  const LaunchResult result = launch(experiment.runs, RunStore(folder.path()), quiet(trainer));
  CHECK(trainer.trained == std::vector<std::int64_t>{4096, 2048, 1024, 512});
  REQUIRE(result.records.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(result.records[i]->tokens == experiment.runs[i].config().tokens);
    CHECK(result.records[i]->run_id == experiment.runs[i].id);
    CHECK(result.records[i]->config == experiment.runs[i].resolved());
  }
  CHECK(result.trained == 4);
  CHECK_FALSE(result.stopped);
}

TEST_CASE("launch: a finished run is not trained again; deleting its result makes exactly it due") {
  const TemporaryFolder folder;
  const Experiment experiment = four_runs();
  ToyTrainer first, second, third;
  launch(experiment.runs, RunStore(folder.path()), quiet(first));
  const LaunchResult again = launch(experiment.runs, RunStore(folder.path()), quiet(second));
  CHECK(second.trained.empty());
  CHECK(again.trained == 0);
  CHECK(again.records[2]->loss == 2.0 + 100.0 / 1024.0);
  std::filesystem::remove(folder.path() / "runs" / experiment.runs[2].id / "result.json");
  launch(experiment.runs, RunStore(folder.path()), quiet(third));
  CHECK(third.trained == std::vector<std::int64_t>{1024});
}

TEST_CASE("launch: a run knows its identity and has a checkpoint of its own") {
  const TemporaryFolder folder;
  const Experiment experiment = four_runs();
  ToyTrainer trainer;
  launch(experiment.runs, RunStore(folder.path()), quiet(trainer));
  CHECK(trainer.options[0].identity == experiment.runs[3].id);
  CHECK(trainer.options[0].checkpoint == folder.path() / "runs" / experiment.runs[3].id / "checkpoint");
  CHECK(std::filesystem::exists(folder.path() / "runs" / experiment.runs[3].id / "config.json"));
}

TEST_CASE("launch: one run's failure is told and does not stop the others") {
  const TemporaryFolder folder;
  const Experiment experiment = four_runs();
  ToyTrainer trainer;
  trainer.fails_at = 2048;
  const LaunchResult result = launch(experiment.runs, RunStore(folder.path()), quiet(trainer));
  REQUIRE(result.failures.size() == 1);
  CHECK(result.failures[0].id == experiment.runs[1].id);
  CHECK(result.failures[0].label == "tokens=2048");
  CHECK(result.failures[0].message == "disk: no space left on device");
  CHECK_FALSE(result.records[1].has_value());
  CHECK(result.trained == 3);
  CHECK_FALSE(result.stopped);
}

TEST_CASE("launch: a lack of memory is told with what asked for it and what would need less") {
  const TemporaryFolder folder;
  const Experiment experiment = plan_text(kSmall);
  ToyTrainer trainer;
  LaunchOptions options = quiet(trainer, 3);
  options.runner = [](const TrainConfig&, const TaskData&, const TrainOptions&) -> std::optional<RunRecord> {
    throw std::bad_alloc();
  };
  const LaunchResult result = launch(experiment.runs, RunStore(folder.path()), options);
  REQUIRE(result.failures.size() == 1);
  // N = layers (4 w^2 + 3 w F + 2 w) + w; batch 4 of context 16.
  CHECK(result.failures[0].message ==
        fmt::format("there is not enough memory for a model of {} parameters with 64 tokens per step beside 2 other "
                    "workers; choose a smaller training.batch or fewer --workers",
                    2 * (4 * 32 * 32 + 3 * 32 * 96 + 2 * 32) + 32));
}

TEST_CASE("launch: what is no exception of a run comes out") {
  const TemporaryFolder folder;
  const Experiment experiment = four_runs();
  ToyTrainer trainer;
  LaunchOptions options = quiet(trainer);
  options.runner = [](const TrainConfig&, const TaskData&, const TrainOptions&) -> std::optional<RunRecord> {
    throw 42;  // NOLINT: not a std::exception on purpose
  };
  CHECK_THROWS_AS(launch(experiment.runs, RunStore(folder.path()), options), int);
}

TEST_CASE("launch: after a stop the rest is left for the next time") {
  const TemporaryFolder folder;
  const Experiment experiment = four_runs();
  ToyTrainer trainer, rest;
  trainer.stops_at = 2048;
  LaunchOptions options = quiet(trainer);
  options.should_stop = [&] {
    return std::find(trainer.trained.begin(), trainer.trained.end(), 2048) != trainer.trained.end();
  };
  const LaunchResult result = launch(experiment.runs, RunStore(folder.path()), options);
  CHECK(result.stopped);
  CHECK(result.failures.empty());
  CHECK(trainer.trained == std::vector<std::int64_t>{4096, 2048});
  CHECK_FALSE(launch(experiment.runs, RunStore(folder.path()), quiet(rest)).stopped);
  CHECK(rest.trained == std::vector<std::int64_t>{2048, 1024, 512});
}

TEST_CASE("launch: a result that another file's name of the same recipe made is shown under this file's name") {
  const TemporaryFolder folder;
  const std::string text = small("precisions: {mine: {all: {preset: mxfp4}}}\n");
  const Experiment mine = plan_text(text, {"precision=mine"}), preset = plan_text(text, {"precision=mxfp4"});
  ToyTrainer trainer;
  launch(mine.runs, RunStore(folder.path()), quiet(trainer));
  const LaunchResult result = launch(preset.runs, RunStore(folder.path()), quiet(trainer));
  CHECK(result.trained == 0);
  CHECK(result.records[0]->precision == "mxfp4");
  CHECK(result.records[0]->config.at("precision") == ConfigValue("mxfp4"));
}

TEST_CASE("launch: two at once share the runs, each of which is trained once, and both get all records") {
  const TemporaryFolder folder;
  const Experiment experiment = four_runs();
  std::array<ToyTrainer, 2> trainers;
  std::array<LaunchResult, 2> results;
  {
    std::vector<std::jthread> launches;
    for (std::size_t i = 0; i < 2; ++i) {
      launches.emplace_back([&, i] {
        LaunchOptions options = quiet(trainers[i]);
        options.beat_seconds = 0.05;
        options.runner = [&, i](const TrainConfig& config, const TaskData& data, const TrainOptions& given) {
          std::this_thread::sleep_for(std::chrono::milliseconds(50));
          return trainers[i](config, data, given);
        };
        results[i] = launch(experiment.runs, RunStore(folder.path()), options);
      });
    }
  }
  std::vector<std::int64_t> trained = trainers[0].trained;
  trained.insert(trained.end(), trainers[1].trained.begin(), trainers[1].trained.end());
  std::sort(trained.begin(), trained.end());
  CHECK(trained == std::vector<std::int64_t>{512, 1024, 2048, 4096});
  CHECK(results[0].trained + results[1].trained == 4);
  for (const LaunchResult& result : results) {
    for (std::size_t i = 0; i < 4; ++i) {
      REQUIRE(result.records[i].has_value());
      CHECK(result.records[i]->tokens == experiment.runs[i].tokens);
    }
  }
}

TEST_CASE("launch: runs that another process trains are left to it once it has been seen to live") {
  const TemporaryFolder folder;
  const RunStore store(folder.path());
  const Experiment experiment = four_runs();
  store.make_folder(experiment.runs[1].id);
  Claims other;
  REQUIRE(other.take(store.folder(experiment.runs[1].id)));
  ToyTrainer trainer;
  LaunchOptions options = quiet(trainer);
  options.others = Others::LeaveThemTo;
  options.load_results = false;
  const LaunchResult result = launch(experiment.runs, store, options);
  CHECK(trainer.trained == std::vector<std::int64_t>{4096, 1024, 512});
  CHECK(result.trained == 3);
  CHECK(result.with_others == 1);
  CHECK(result.failures.empty());
  CHECK_FALSE(result.stopped);
}

TEST_CASE("launch: a run whose claim another host took is stopped, and taken back when that host falls silent") {
  const TemporaryFolder folder;
  const RunStore store(folder.path());
  const Experiment experiment = plan_text(kSmall);
  const std::filesystem::path claim = store.folder(experiment.runs[0].id) / "claim";
  ToyTrainer trainer;
  LaunchOptions options = quiet(trainer);
  options.beat_seconds = 0.02;
  int stops = 0;
  options.runner = [&](const TrainConfig& config, const TaskData& data,
                       const TrainOptions& given) -> std::optional<RunRecord> {
    if (stops > 0) return trainer(config, data, given);
    std::filesystem::remove(claim);
    std::ofstream(claim)
        << R"({"beat":"1","part":"0","beat_seconds":0.02,"from":"","host":"far","pid":1,"space":"0","start":7})";
    while (!given.should_stop()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ++stops;
    return std::nullopt;
  };
  const LaunchResult result = launch(experiment.runs, store, options);
  CHECK(stops == 1);
  CHECK(result.trained == 1);
  CHECK_FALSE(result.stopped);
  CHECK_FALSE(std::filesystem::exists(claim));
}

TEST_CASE("launch: a run that failed three times is told and left alone until it is asked for") {
  const TemporaryFolder folder;
  const RunStore store(folder.path());
  const Experiment experiment = plan_text(kSmall);
  ToyTrainer trainer;
  trainer.fails_at = experiment.runs[0].tokens;
  LaunchOptions options = quiet(trainer);
  options.retry_failed = false;
  for (int i = 0; i < 3; ++i) CHECK(launch(experiment.runs, store, options).failures.size() == 1);
  CHECK(trainer.trained.size() == 3);
  const LaunchResult fourth = launch(experiment.runs, store, options);
  REQUIRE(fourth.failures.size() == 1);
  CHECK(fourth.failures[0].message ==
        "not tried again after 3 attempts, the last one: error: disk: no space left on device; --retry-failed does");
  CHECK(trainer.trained.size() == 3);
  options.retry_failed = true;
  trainer.fails_at = 0;
  CHECK(launch(experiment.runs, store, options).failures.empty());
  CHECK(attempts_in(store.folder(experiment.runs[0].id)).empty());
}

TEST_CASE("launch: a disk that cannot be written to is no attempt of the run") {
  const TemporaryFolder folder;
  const RunStore store(folder.path());
  const Experiment experiment = plan_text(kSmall);
  ToyTrainer trainer;
  LaunchOptions options = quiet(trainer);
  options.runner = [](const TrainConfig&, const TaskData&, const TrainOptions& given) -> std::optional<RunRecord> {
    refuse_writing(given.checkpoint, "No space left on device");
  };
  CHECK(launch(experiment.runs, store, options).failures.size() == 1);
  CHECK(attempts_in(store.folder(experiment.runs[0].id)).empty());
  CHECK(launch(experiment.runs, store, quiet(trainer)).trained == 1);
}

TEST_CASE("launch: every damaged result is set aside and its run trained again, with the same record") {
  const TemporaryFolder folder;
  const RunStore store(folder.path());
  const Experiment experiment = plan_text(kSmall);
  ToyTrainer trainer;
  const RunRecord whole = *launch(experiment.runs, store, quiet(trainer)).records[0];
  const std::filesystem::path file = store.result(experiment.runs[0].id);
  const std::string text = read_file(file);
  std::size_t damages = 0;
  for (std::size_t at = 0; at + 1 < text.size(); at += 37) {
    CAPTURE(at);
    std::string flipped = text;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 7));
    for (const std::string& damaged : {flipped, text.substr(0, at)}) {
      write_file_atomically(file, damaged);
      const LaunchResult again = launch(experiment.runs, store, quiet(trainer));
      CHECK(again.trained == 1);
      CHECK(again.records[0]->loss == whole.loss);
      ++damages;
    }
  }
  CHECK(trainer.trained.size() == damages + 1);
  CHECK(read_file(file) == text);
  CHECK(read_file(file.string() + ".damaged-2") == text.substr(0, 0));
}

TEST_CASE("launch: a damaged checkpoint is set aside, and the run starts again") {
  const TemporaryFolder folder;
  const RunStore store(folder.path());
  const Experiment experiment = plan_text(kSmall);
  ToyTrainer trainer;
  LaunchOptions options = quiet(trainer);
  options.runner = [&](const TrainConfig& config, const TaskData& data, const TrainOptions& given) {
    if (file_exists(given.checkpoint)) load_checkpoint(given.checkpoint, given.identity);
    return trainer(config, data, given);
  };
  store.make_folder(experiment.runs[0].id);
  write_file_atomically(store.checkpoint(experiment.runs[0].id), "half of a checkpoint");
  CHECK(launch(experiment.runs, store, options).trained == 1);
  CHECK(read_file(store.checkpoint(experiment.runs[0].id).string() + ".damaged") == "half of a checkpoint");
}

TEST_CASE("run store: the first of two results stays; one with other bits is a failure of a machine") {
  const TemporaryFolder folder;
  const RunStore store(folder.path());
  RunRecord record = planned_record(four_runs().runs[0]);
  record.run_id = "a";
  record.state_hash = "0123";
  record.wall_seconds = 1;
  store.make_folder("a");
  CHECK(store.finish(record) == RunStore::Finish::Published);
  const std::string first = read_file(store.result("a"));
  record.wall_seconds = 2;
  CHECK(store.finish(record) == RunStore::Finish::WasThere);
  CHECK(read_file(store.result("a")) == first);
  record.state_hash = "4567";
  const std::string message = store.result("a").string() +
                              ": has the state 0123 and the same run, trained again, 4567, so one of the two was "
                              "computed wrongly; delete the file to train the run again, on another machine, and "
                              "compare";
  CHECK_THROWS_WITH_AS(store.finish(record), message.c_str(), InputError);
  std::filesystem::resize_file(store.result("a"), 10);
  CHECK(store.finish(record) == RunStore::Finish::Published);
  CHECK(std::filesystem::exists(store.result("a").string() + ".damaged"));
}

TEST_CASE("run store: results of earlier versions, without a checksum, are read") {
  const TemporaryFolder folder;
  const RunStore store(folder.path());
  const PlannedRun run = four_runs().runs[0];
  store.make_folder(run.id);
  RunRecord record = planned_record(run);
  record.loss = 2.5;
  write_file_atomically(store.result(run.id), run_to_json(record));
  CHECK(store.load(run)->loss == 2.5);
}

TEST_CASE("run store: states follow the files") {
  const TemporaryFolder folder;
  const RunStore store(folder.path());
  const PlannedRun run = four_runs().runs[0];
  CHECK(store.state(run.id) == RunStore::State::New);
  store.begin(run);
  CHECK(store.state(run.id) == RunStore::State::New);
  write_file_atomically(store.checkpoint(run.id), "a checkpoint");
  CHECK(store.state(run.id) == RunStore::State::Started);
  RunRecord record = planned_record(run);
  store.finish(record);
  CHECK(store.state(run.id) == RunStore::State::Done);
  CHECK_FALSE(std::filesystem::exists(store.checkpoint(run.id)));
}

TEST_CASE("run store: the result of another run is refused") {
  const TemporaryFolder folder;
  const RunStore store(folder.path());
  const Experiment experiment = four_runs();
  store.begin(experiment.runs[0]);
  store.begin(experiment.runs[1]);
  store.finish(planned_record(experiment.runs[0]));
  const auto file = [&](std::size_t i) { return folder.path() / "runs" / experiment.runs[i].id / "result.json"; };
  std::filesystem::copy_file(file(0), file(1));
  const std::string message = file(1).string() + ": is the result of run " + experiment.runs[0].id +
                              ", so it does not belong into this folder; delete the file to train the run again";
  CHECK_THROWS_WITH_AS(store.load(experiment.runs[1]), message.c_str(), InputError);
}

}  // namespace
}  // namespace bitlaw
