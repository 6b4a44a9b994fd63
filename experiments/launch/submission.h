#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/launch/run_store.h"

namespace bitlaw {

/// A job script of many tasks that each run the same command, `bitlaw sweep work ...`.
struct Submission {
  std::filesystem::path folder;      ///< of the results; the script goes to submit/job.sh in it
  std::string name;                  ///< of the experiment
  std::vector<std::string> command;  ///< words of a task's program
  std::size_t due_runs = 0;
  std::size_t per_task = 1;                ///< due runs for each task, on average
  std::size_t most_tasks = 0;              ///< what the scheduler takes at most; 0: any number
  std::optional<std::size_t> array_limit;  ///< tasks at the same time
  std::optional<std::string> partition, time;
  std::vector<std::string> directives;                 ///< for the scheduler, "--account=physics"
  int cores = 1;                                       ///< of each task
  std::optional<std::filesystem::path> template_file;  ///< instead of the script for Slurm

  std::size_t tasks() const;
  std::filesystem::path script_file() const { return folder / "submit" / "job.sh"; }
};

/// The filled script. InputError when the template cannot be read or filled.
std::string script_of(const Submission& submission);

/// What the scheduler said of the job that was submitted: of Slurm, its id.
struct SubmittedJob {
  std::string answer;             ///< the first line
  std::vector<std::string> with;  ///< the words that submitted it
};

/// Writes the script and submits it. The answer is added to
/// submit/jobs.jsonl. std::runtime_error when the program is missing or says no.
SubmittedJob submit(const Submission& submission);

/// Lets Slurm check the script and say when it would start; nothing is submitted and no file kept. Returns its exit
/// code.
int test_only(const Submission& submission);

/// Ids of the jobs that were submitted for a results folder, oldest first.
std::vector<std::string> submitted_jobs(const std::filesystem::path& results);

/// How many tasks one array of the Slurm here may have: MaxArraySize of its configuration, else Slurm's default, 1001.
std::size_t slurm_array_size();

}  // namespace bitlaw
