#include "experiments/launch/local.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <thread>

#include "core/base/file.h"
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

TEST_CASE("launch: any number of workers executes each run once and gives the same records") {
  for (const int workers : {1, 2, 3, 16}) {
    CAPTURE(workers);
    const TemporaryFolder folder;
    ToyTrainer trainer;
    const LaunchResult result = launch(four_runs().runs, RunStore(folder.path()), quiet(trainer, workers));
    std::sort(trainer.trained.begin(), trainer.trained.end());
    CHECK(trainer.trained == std::vector<std::int64_t>{512, 1024, 2048, 4096});
    CHECK(result.records[3]->loss == 2.0 + 100.0 / 4096.0);
  }
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

TEST_CASE("launch: what is no exception of a run comes out after all threads have ended") {
  const TemporaryFolder folder;
  const Experiment experiment = four_runs();
  ToyTrainer trainer;
  LaunchOptions options = quiet(trainer, 2);
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
