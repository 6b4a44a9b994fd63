#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/launch/local.h"
#include "experiments/sweep/experiment.h"

namespace bitlaw {

/// What an experiment left behind.
struct ExperimentOutcome {
  std::string report;                                      ///< text; empty when no files were written
  std::filesystem::path sweep_file, text_file, html_file;  ///< in the results folder
  bool written = false;         ///< whether the files hold `runs`; not after a stop or when all failed
  std::vector<RunRecord> runs;  ///< those with a result, in the order of the plan
  std::vector<RunFailure> failures;
  std::size_t trained = 0;  ///< runs that were not there before
  bool stopped = false;     ///< the same call continues
};

/// Trains what is due, fits, and writes sweep.h5, report.txt and report.html into `results`.
///
/// With nothing to train and nothing else changed (the file, the results, the program) no file is touched. When runs
/// failed, those that finished are written and nothing is fitted. `command` is recorded. InputError when the folder
/// cannot be used or a fit refuses what the runs gave; std::runtime_error when the training went well and its files
/// could not be written.
ExperimentOutcome run_experiment(const Experiment& experiment, const std::filesystem::path& results,
                                 const std::string& command, const LaunchOptions& options);

}  // namespace bitlaw
