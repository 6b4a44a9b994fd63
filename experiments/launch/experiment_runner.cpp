#include "experiments/launch/experiment_runner.h"

#include <fmt/format.h>

#include <stdexcept>
#include <system_error>
#include <utility>

#include "core/base/build_info.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/fingerprint.h"
#include "core/record/sweep_file.h"
#include "experiments/launch/fits.h"
#include "experiments/launch/plan_file.h"
#include "experiments/launch/results_folder.h"
#include "experiments/report/report.h"

namespace bitlaw {
namespace {

/// One word for all that the three files follow from.
std::string stamp_of(const SweepFile& sweep) {
  const BuildInfo build = build_info();
  std::string text = build.version + "\n" + build.commit + "\n" + sweep.config_yaml + "\n";
  for (const RunRecord& run : sweep.runs) {
    text += fmt::format("{} {} {} {}\n", run.run_id, run.precision, run.state_hash, run.loss);
  }
  return fingerprint(text) + "\n";
}

/// The stamp and one word for each of the files as they are now; "" when one is no file.
std::string stamp_with_files(const ExperimentOutcome& outcome, std::string stamp) {
  for (const std::filesystem::path& file : {outcome.sweep_file, outcome.text_file, outcome.html_file}) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) return "";
    stamp += fingerprint(read_file(file)) + "\n";
  }
  return stamp;
}

/// Whether the files are what was written for this stamp: neither older nor damaged nor changed since.
bool up_to_date(const ExperimentOutcome& outcome, const std::filesystem::path& stamp_file, const std::string& stamp) {
  return file_exists(stamp_file) && read_file(stamp_file) == stamp_with_files(outcome, stamp);
}

/// Paths of the files, told below the report.
std::string files_text(const ExperimentOutcome& outcome) {
  return fmt::format("\ndata:   {}\nreport: {}\n        {}\n", outcome.sweep_file.string(), outcome.html_file.string(),
                     outcome.text_file.string());
}

void add_fits(SweepFile& sweep, const std::vector<FitSpec>& specs, int threads) {
  try {
    for (const FitSpec& spec : specs) {
      for (FitRecord& fit : fit_runs(spec, sweep.runs, threads)) sweep.fits.push_back(std::move(fit));
    }
  } catch (const InputError& error) {
    throw InputError(fmt::format("{} (every finished run is saved)", error.what()));
  }
}

void write_files(const SweepFile& sweep, ExperimentOutcome& outcome) {
  write_sweep_file(outcome.sweep_file, sweep);
  outcome.report = text_report(sweep);
  write_file_atomically(outcome.text_file, outcome.report);
  write_file_atomically(outcome.html_file, html_report(sweep));
}

}  // namespace

ExperimentOutcome run_experiment(const Experiment& experiment, const std::filesystem::path& results,
                                 const std::string& command, const LaunchOptions& options) {
  open_results_folder(results);
  const RunStore store(results);
  write_plan(store.plan(), saved_plan(experiment));
  LaunchResult launched = launch(experiment.runs, store, options);

  ExperimentOutcome outcome{.report = {},
                            .sweep_file = results / "sweep.h5",
                            .text_file = results / "report.txt",
                            .html_file = results / "report.html",
                            .written = false,
                            .runs = {},
                            .failures = std::move(launched.failures),
                            .trained = launched.trained,
                            .stopped = launched.stopped};
  for (auto& record : launched.records) {
    if (record) outcome.runs.push_back(std::move(*record));
  }
  if (outcome.stopped || outcome.runs.empty()) return outcome;

  SweepFile sweep{.experiment = experiment.name,
                  .title = experiment.title,
                  .command = command,
                  .config_yaml = experiment.yaml,
                  .failed_runs = static_cast<std::int64_t>(outcome.failures.size()),
                  .runs = outcome.runs,
                  .fits = {}};
  outcome.written = true;
  const std::filesystem::path stamp_file = results / ".inputs";
  const std::string stamp = stamp_of(sweep);
  if (up_to_date(outcome, stamp_file, stamp)) {
    outcome.report = read_file(outcome.text_file) + files_text(outcome);
    return outcome;
  }
  if (outcome.failures.empty()) add_fits(sweep, experiment.fits, options.workers * options.threads);
  try {
    std::filesystem::remove(stamp_file);  // first: a crash on the way leaves files of two experiments
    write_files(sweep, outcome);
    write_file_atomically(stamp_file, stamp_with_files(outcome, stamp));
  } catch (const InputError& error) {
    throw std::runtime_error(
        fmt::format("{} (every finished run is saved; the same command tries again)", error.what()));
  }
  outcome.report += files_text(outcome);
  return outcome;
}

}  // namespace bitlaw
