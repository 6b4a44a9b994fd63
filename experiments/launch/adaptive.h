#pragma once

#include "experiments/launch/experiment_runner.h"
#include "experiments/launch/next_runs.h"

namespace bitlaw {

/// Plan, run, fit, plan: trains in `rounds` rounds the runs of an experiment that next_runs() chooses, each round with
/// an even share of what is left of the budget, then fits and writes the files of those that it trained and of those
/// that were there before. The budget counts what this call and earlier ones like it have chosen.
///
/// Every choice is kept in adaptive.json in the results folder before its runs are trained, and made again from there
/// by the next call with the same request: stopped or killed at any time, it ends with the same runs. What is chosen is
/// told on options.log. InputError as of next_runs() and run_experiment(), and for a journal that is damaged.
ExperimentOutcome run_adaptively(const Experiment& experiment, const std::filesystem::path& results,
                                 const std::string& command, const LaunchOptions& options, const NextRequest& request,
                                 int rounds);

}  // namespace bitlaw
