#include "experiments/launch/experiment_runner.h"

#include <doctest/doctest.h>

#include <fmt/format.h>
#include <fstream>

#include "core/base/build_info.h"
#include "core/base/file.h"
#include "core/record/sweep_file.h"
#include "experiments/launch/plan_file.h"
#include "experiments/launch/plan_table.h"
#include "experiments/launch/price.h"
#include "experiments/launch/progress.h"
#include "tests/experiments/launch/toy_runs.h"
#include "tests/support/message_of.h"

namespace bitlaw {
namespace {

Experiment with_fits() {
  return plan_text(
      small("title: A toy\n"
            "sweep: {grid: {training.tokens: [512, 2048, 1024, 4096]}}\n"
            "fits: [{law: chinchilla, fixed: {A: 1, alpha: 0.5}, bootstrap: 0}]\n"));
}

std::map<std::string, std::filesystem::file_time_type> write_times(const std::filesystem::path& folder) {
  std::map<std::string, std::filesystem::file_time_type> times;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    times[entry.path().string()] = entry.last_write_time();
  }
  return times;
}

TEST_CASE("run_experiment: the sweep file holds runs and fits, and the report is the text file") {
  const TemporaryFolder folder;
  ToyTrainer trainer;
  const Experiment experiment = with_fits();
  const ExperimentOutcome outcome = run_experiment(experiment, folder.path(), "bitlaw run x.yaml", quiet(trainer));
  CHECK(outcome.trained == 4);
  const SweepFile sweep = read_sweep_file(outcome.sweep_file);
  CHECK(sweep.experiment == "tiny");
  CHECK(sweep.title == "A toy");
  CHECK(sweep.command == "bitlaw run x.yaml");
  CHECK(sweep.config_yaml == experiment.yaml);
  REQUIRE(sweep.runs.size() == 4);
  CHECK(sweep.runs[1].tokens == 2048);
  REQUIRE(sweep.fits.size() == 1);
  CHECK(sweep.fits[0].name == "chinchilla");
  CHECK(sweep.fits[0].run_ids == ids(experiment));
  CHECK(outcome.report.starts_with(read_file(outcome.text_file)));
  CHECK(read_file(outcome.html_file).starts_with("<!"));
}

TEST_CASE("run_experiment: the second time, nothing is trained and no file is touched") {
  const TemporaryFolder folder;
  ToyTrainer trainer;
  const ExperimentOutcome first = run_experiment(with_fits(), folder.path(), "c", quiet(trainer));
  const auto times = write_times(folder.path());
  const ExperimentOutcome second = run_experiment(with_fits(), folder.path(), "c", quiet(trainer));
  CHECK(second.trained == 0);
  CHECK(second.report == first.report);
  CHECK(write_times(folder.path()) == times);
}

TEST_CASE("run_experiment: other fits or a lost file rewrite the files without training") {
  const TemporaryFolder folder;
  ToyTrainer trainer;
  Experiment experiment = with_fits();
  const ExperimentOutcome first = run_experiment(experiment, folder.path(), "c", quiet(trainer));
  std::filesystem::remove(first.html_file);
  CHECK(run_experiment(experiment, folder.path(), "c", quiet(trainer)).trained == 0);
  CHECK(std::filesystem::exists(first.html_file));
  experiment.fits.clear();
  experiment.yaml += "# changed\n";
  CHECK(run_experiment(experiment, folder.path(), "c", quiet(trainer)).trained == 0);
  CHECK(read_sweep_file(first.sweep_file).fits.empty());
}

TEST_CASE("run_experiment: a damaged or edited output is written anew") {
  const TemporaryFolder folder;
  ToyTrainer trainer;
  const ExperimentOutcome first = run_experiment(with_fits(), folder.path(), "c", quiet(trainer));
  const std::string report = read_file(first.text_file);
  std::filesystem::resize_file(first.sweep_file, 5000);
  CHECK(run_experiment(with_fits(), folder.path(), "c", quiet(trainer)).trained == 0);
  CHECK(read_sweep_file(first.sweep_file).runs.size() == 4);
  std::ofstream(first.text_file) << "edited";
  CHECK(run_experiment(with_fits(), folder.path(), "c", quiet(trainer)).report == first.report);
  CHECK(read_file(first.text_file) == report);
}

TEST_CASE("run_experiment: with failed runs the others are written and nothing is fitted") {
  const TemporaryFolder folder;
  ToyTrainer trainer;
  trainer.fails_at = 512;
  const ExperimentOutcome outcome = run_experiment(with_fits(), folder.path(), "c", quiet(trainer));
  CHECK(outcome.failures.size() == 1);
  const SweepFile sweep = read_sweep_file(outcome.sweep_file);
  CHECK(sweep.runs.size() == 3);
  CHECK(sweep.failed_runs == 1);
  CHECK(sweep.fits.empty());
  CHECK(outcome.report.starts_with("A toy (3 of 4 runs; 1 failed)\n"));
  CHECK(outcome.report.find("No law was fitted, because runs are missing.\n") != std::string::npos);
  CHECK(read_file(outcome.html_file).find("3 of 4 runs; 1 failed") != std::string::npos);
  trainer.fails_at = 0;
  CHECK(run_experiment(with_fits(), folder.path(), "c", quiet(trainer)).trained == 1);
  CHECK(read_sweep_file(outcome.sweep_file).fits.size() == 1);
}

TEST_CASE("run_experiment: files that cannot be written are no wrong input, and the runs are kept") {
  const TemporaryFolder folder;
  ToyTrainer trainer;
  folder.write(".bitlaw", "");  // a results folder
  std::filesystem::create_directories(folder.path() / "report.txt" / "in the way");
  std::string message;
  try {
    run_experiment(with_fits(), folder.path(), "c", quiet(trainer));
  } catch (const InputError&) {
    FAIL("told as wrong input");
  } catch (const std::runtime_error& error) {
    message = error.what();
  }
  CHECK(message.ends_with(" (every finished run is saved; the same command tries again)"));
  std::filesystem::remove_all(folder.path() / "report.txt");
  CHECK(run_experiment(with_fits(), folder.path(), "c", quiet(trainer)).trained == 0);
}

TEST_CASE("run_experiment: files that a failure left half-written do not count as those of an earlier state") {
  const TemporaryFolder folder;
  ToyTrainer trainer;
  const Experiment before = with_fits();
  Experiment after = with_fits();
  after.title = "Another";
  after.yaml += "# changed\n";
  const ExperimentOutcome first = run_experiment(before, folder.path(), "c", quiet(trainer));
  const std::string html = read_file(first.html_file);
  std::filesystem::remove(first.html_file);
  std::filesystem::create_directories(first.html_file / "in the way");
  CHECK_THROWS_AS(run_experiment(after, folder.path(), "c", quiet(trainer)), std::runtime_error);
  CHECK(read_sweep_file(first.sweep_file).title == "Another");  // replaced before the failure
  std::filesystem::remove_all(first.html_file);
  write_file_atomically(first.html_file, html);
  run_experiment(before, folder.path(), "c", quiet(trainer));
  CHECK(read_sweep_file(first.sweep_file).title == "A toy");
}

TEST_CASE("run_experiment: a fit that refuses its runs is wrong input, which trying again does not mend") {
  const TemporaryFolder folder;
  ToyTrainer trainer;
  LaunchOptions options = quiet(trainer);
  options.runner = [&](const TrainConfig& config, const TaskData& data, const TrainOptions& given) {
    std::optional<RunRecord> record = trainer(config, data, given);
    record->loss = -1;
    return record;
  };
  const Experiment experiment = with_fits();
  const std::string message = message_of([&] { run_experiment(experiment, folder.path(), "c", options); });
  CHECK(message.ends_with(":7:8: observation " + experiment.runs[0].id +
                          ": loss -1 is not a positive number, so it has no logarithm; leave the row out (every "
                          "finished run is saved)"));
}

TEST_CASE("run_experiment: an outcome tells the runs with a result and whether the files hold them") {
  const TemporaryFolder folder;
  ToyTrainer trainer, failing;
  const Experiment experiment = with_fits();
  const ExperimentOutcome whole = run_experiment(experiment, folder.path(), "c", quiet(trainer));
  CHECK(whole.written);
  CHECK(whole.runs.size() == 4);
  std::filesystem::remove_all(folder.path() / "runs");
  LaunchOptions options = quiet(failing);
  options.runner = [](const TrainConfig&, const TaskData&, const TrainOptions&) -> std::optional<RunRecord> {
    throw InputError("disk: no space left on device");
  };
  const ExperimentOutcome failed = run_experiment(experiment, folder.path(), "c", options);
  CHECK(std::filesystem::exists(failed.sweep_file));  // of the first time
  CHECK_FALSE(failed.written);
  CHECK(failed.runs.empty());
  CHECK(failed.report.empty());
  CHECK(failed.failures.size() == 4);
}

TEST_CASE("run_experiment: a stop leaves no half result") {
  const TemporaryFolder folder;
  ToyTrainer trainer;
  trainer.stops_at = 512;
  const ExperimentOutcome outcome = run_experiment(with_fits(), folder.path(), "c", quiet(trainer));
  CHECK(outcome.stopped);
  CHECK_FALSE(std::filesystem::exists(outcome.sweep_file));
}

TEST_CASE("plan table: what differs, N, D, operations and state of each run, then totals") {
  const TemporaryFolder folder;
  const Experiment experiment = plan_text(small("sweep: {grid: {training.tokens: [512, 1024]}}\n"));
  const RunStore store(folder.path());
  store.begin(experiment.runs[0]);
  RunRecord record = planned_record(experiment.runs[0]);
  record.wall_seconds = 2;
  record.timed_on = timed_on(1);
  store.finish(record);
  write_plan(store.plan(), saved_plan(plan_text(small(""))));
  // N = layers (4 w^2 + 3 w F + 2 w) + w = 2 (4096 + 9216 + 64) + 32. Operations per token, forward: 2 per weight and
  // layer (13312), 4 T w for attention, 2 w V for the head; times 3 for training.
  const int n = 2 * (4096 + 9216 + 64) + 32;
  const double flops = 3.0 * (2 * (2 * 13312 + 4 * 16 * 32) + 2 * 32 * 16) * 512;
  // One finished run says how much slower than the reference this machine is.
  const PriceModel reference;
  const std::string twice =
      duration_text(2 * reference.seconds(experiment.runs[1].work) / reference.seconds(experiment.runs[0].work));
  const std::string expected = fmt::format(
      "Runs of tiny\n"
      "  run  id        tokens      N     D     FLOPs   time  state\n"
      "  1    {}  512     {}   512  {:.3g}  2.0 s   done\n"
      "  2    {}  1024    {}  1024  {:.3g}  {}    new\n"
      "\n"
      "tiny: 2 runs, {:.3g} FLOPs: 1 new, 1 done\n"
      "left: {:.3g} FLOPs, about {} of one worker (from 1 finished runs)\n"
      "against the last launch: 1 runs kept, 1 new, 0 gone\n"
      "  training.tokens: 1024 -> 512, 1024\n",
      experiment.runs[0].id.substr(0, 8), n, flops, experiment.runs[1].id.substr(0, 8), n, 2 * flops, twice, 3 * flops,
      2 * flops, twice);
  CHECK(plan_table(experiment, store) == expected);
}

}  // namespace
}  // namespace bitlaw
