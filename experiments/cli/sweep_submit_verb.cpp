#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <optional>

#include "core/base/error.h"
#include "experiments/cli/experiment_flags.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/verbs.h"
#include "experiments/launch/shell_word.h"
#include "experiments/launch/submission.h"

namespace bitlaw {
namespace {

struct SubmitArguments : ExperimentArguments {
  std::optional<std::string> partition, time, template_file;
  std::vector<std::string> directives;
  std::size_t per_task = 1;
  std::optional<std::size_t> array_limit, tasks;
  int workers = 1, threads = 1;
  double checkpoint_seconds = 30;
  std::string launcher = "slurm";
  bool dry_run = false, test_only = false, retry_failed = false;
};

/// What each task runs: every path absolute, since a job starts in a folder of the scheduler's choice.
std::vector<std::string> command_of(const SubmitArguments& a, const std::filesystem::path& results) {
  std::vector<std::string> words{std::filesystem::read_symlink("/proc/self/exe").string(),
                                 "sweep",
                                 "work",
                                 std::filesystem::absolute(a.file).string(),
                                 "--out",
                                 results.string(),
                                 "--workers",
                                 std::to_string(a.workers),
                                 "--threads",
                                 std::to_string(a.threads),
                                 "--checkpoint-seconds",
                                 fmt::format("{}", a.checkpoint_seconds)};
  for (const std::string& override : a.overrides) words.insert(words.end(), {"--set", override});
  if (a.retry_failed) words.emplace_back("--retry-failed");
  return words;
}

Submission submission_of(const SubmitArguments& a, const Experiment& experiment) {
  const auto results = std::filesystem::absolute(a.results(experiment)).lexically_normal();
  const RunStore store(results);
  const auto due = std::count_if(experiment.runs.begin(), experiment.runs.end(),
                                 [&](const PlannedRun& run) { return store.state(run.id) != RunStore::State::Done; });
  Submission submission{.folder = results,
                        .name = experiment.name,
                        .command = command_of(a, results),
                        .due_runs = static_cast<std::size_t>(due),
                        .per_task = a.per_task,
                        .array_limit = a.array_limit,
                        .partition = a.partition,
                        .time = a.time,
                        .directives = a.directives,
                        .cores = a.workers * a.threads,
                        .template_file = {}};
  if (a.template_file) submission.template_file = *a.template_file;
  if (a.launcher == "slurm") submission.most_tasks = slurm_array_size();
  return submission;
}

void refuse_contradictions(const SubmitArguments& a) {
  if ((a.launcher == "command") != a.template_file.has_value()) {
    throw InputError(
        a.template_file ? "--template is for --launcher command, so it would have no effect; add that, or leave it away"
                        : "--launcher command has no --template, so there is no script to submit; name a file");
  }
  if (a.test_only && a.launcher != "slurm") {
    throw InputError("--test-only asks Slurm, so --launcher command has none; use --dry-run to see the script");
  }
}

int submit_or_show(const SubmitArguments& a) {
  refuse_contradictions(a);
  const Experiment experiment = a.plan();
  const Submission submission = submission_of(a, experiment);
  if (a.dry_run) {
    fmt::print("{}", script_of(submission));
    return 0;
  }
  if (submission.due_runs == 0) {
    fmt::print("all {} runs are done, so nothing was submitted\n", experiment.runs.size());
    return 0;
  }
  if (a.test_only) return test_only(submission);
  const SubmittedJob job = submit(submission);
  fmt::print("job {}: {} tasks for {} due runs; script: {}\n", job.answer, submission.tasks(), submission.due_runs,
             submission.script_file().string());
  fmt::print(stderr, "watch it with: bitlaw sweep status {} --out {} --watch\n", shell_word(a.file),
             shell_word(submission.folder.string()));
  return 0;
}

}  // namespace

void add_sweep_submit_verb(CLI::App& sweep, Invocation& invocation) {
  CLI::App* verb = sweep.add_subcommand("submit", "Hand what is due to a cluster's scheduler as one array job");
  const auto a = std::make_shared<SubmitArguments>();
  add_experiment_flags(*verb, *a, "Experiment, a YAML file that the tasks can read");
  verb->add_option("--partition", a->partition, "Of the scheduler");
  verb->add_option("--time", a->time, "Limit of a task, as the scheduler writes it; a task goes on where one ended");
  verb->add_option("--per-task", a->per_task, "Due runs for each task, on average (default: 1); more for small runs")
      ->check(positive_number());
  verb->add_option("--array-limit", a->array_limit, "Tasks at the same time")->check(positive_number());
  verb->add_option("--workers", a->workers, "Runs at the same time in a task (default: 1)")
      ->check(number_between(1, 4096));
  verb->add_option("--threads", a->threads, "Threads of each run (default: 1)")->check(number_between(1, 256));
  verb->add_option("--checkpoint-seconds", a->checkpoint_seconds, "Save unfinished runs about this often (default: 30)")
      ->check(number_from_zero());
  verb->add_option("--directive", a->directives, "One more option of sbatch for the script; may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--launcher", a->launcher, "slurm (default), or command: a script from --template")
      ->check(CLI::IsMember({"slurm", "command"}));
  verb->add_option("--template", a->template_file, "Script with @command@, @tasks@ ...; experiments/launch/README.md");
  verb->add_flag("--retry-failed", a->retry_failed, "Also runs that failed three times");
  verb->add_flag("--dry-run", a->dry_run, "Print the script; write and submit nothing");
  verb->add_flag("--test-only", a->test_only, "Let Slurm check the script and say when it would start");
  verb->footer(
      "Writes submit/job.sh into the results folder, submits it, prints the job's id and ends. Submitted twice, or to\n"
      "two partitions, the tasks share the runs. What a cancelled job leaves is due the next time.\n\n"
      "Examples:\n"
      "  bitlaw sweep submit x.yaml --partition cpu --time 1:00:00 --per-task 4 --workers 4\n"
      "  bitlaw sweep submit x.yaml --partition cpu --time 30 --directive=--account=physics --dry-run\n"
      "  bitlaw sweep submit x.yaml --launcher command --template pbs.sh --time 01:00:00");
  verb->callback([a, &invocation] { invocation.exit_code = submit_or_show(*a); });
}

}  // namespace bitlaw
