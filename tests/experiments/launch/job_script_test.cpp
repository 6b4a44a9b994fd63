#include "experiments/launch/job_script.h"

#include <doctest/doctest.h>

#include <fstream>
#include <optional>
#include <stdexcept>

#include "core/base/error.h"
#include "core/base/file.h"
#include "experiments/launch/shell_word.h"
#include "experiments/launch/submission.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {
namespace {

Submission sixty_runs() {
  return {.folder = "/shared/my results",
          .name = "x",
          .command = {"/opt/bitlaw", "sweep", "work", "/home/me/x.yaml", "--set", "precision=[a, b]"},
          .due_runs = 60,
          .per_task = 8,
          .array_limit = std::nullopt,
          .partition = "cpu",
          .time = "1:00:00",
          .directives = {"--account=physics", "--mem=2G"},
          .template_file = {}};
}

TEST_CASE("job script: values are filled in, several make several lines, missing ones leave their line out") {
  const JobValues values{{"a", {"1"}}, {"none", {}}, {"two", {"x", "y"}}};
  CHECK(fill_template("@a@ and @a@\nof @none@\n- @two@\nme@site.org @ 3@4\n", values, "t") ==
        "1 and 1\n- x\n- y\nme@site.org @ 3@4\n");
}

TEST_CASE("job script: a value that looks like a name is not filled again") {
  CHECK(fill_template("@a@\n", {{"a", {"@b@"}}}, "t") == "@b@\n");
}

TEST_CASE("job script: an unknown name and a script without a way to submit it are refused") {
  CHECK_THROWS_WITH_AS(fill_template("\n@comand@", {{"command", {""}}}, "pbs.sh"),
                       "pbs.sh:2: '@comand@' is the name of nothing that could stand there, so the script would be "
                       "wrong; did you mean 'command'?",
                       InputError);
  CHECK_THROWS_WITH_AS(submit_words("#!/bin/sh\n", {}, "pbs.sh"),
                       "pbs.sh: has no line that begins with '# submit: ', so it is not known how a script of it is "
                       "submitted; add one, such as '# submit: qsub @script@'",
                       InputError);
}

TEST_CASE("job script: words that submit keep spaces in paths, and the script quotes them") {
  const JobValues values{{"script", {"/a b/job.sh"}}, {"none", {}}};
  CHECK(submit_words("#!/bin/sh\n# submit: qsub @none@ -V @script@\n", values, "t") ==
        std::vector<std::string>{"qsub", "-V", "/a b/job.sh"});
  CHECK(shell_word("/a b/job.sh") == "'/a b/job.sh'");
}

TEST_CASE("submission: the script for Slurm asks for what sbatch(1) needs to stop and to requeue in time") {
  const std::string script = script_of(sixty_runs());
  for (const char* line :
       {"#!/bin/bash\n", "\n#SBATCH --job-name=x\n", "\n#SBATCH --partition=cpu\n", "\n#SBATCH --time=1:00:00\n",
        "\n#SBATCH --array=0-7\n", "\n#SBATCH --account=physics\n#SBATCH --mem=2G\n", "\n#SBATCH --signal=B:USR1@60\n",
        "\n#SBATCH --requeue\n", "\n#SBATCH --open-mode=append\n",
        "\n/opt/bitlaw sweep work /home/me/x.yaml --set 'precision=[a, b]' &\n",
        "\n  scontrol requeue \"$SLURM_JOB_ID\" || sbatch --array=\"$SLURM_ARRAY_TASK_ID\" "
        "'/shared/my results/submit/job.sh'\n"}) {
    CAPTURE(line);
    CHECK(script.find(line) != std::string::npos);
  }
}

TEST_CASE("submission: tasks are the runs over those per task, and no more than the scheduler takes") {
  Submission submission = sixty_runs();
  CHECK(submission.tasks() == 8);  // 60 / 8, rounded up
  submission.per_task = 1;
  CHECK(submission.tasks() == 60);
  submission.most_tasks = 40;
  CHECK(submission.tasks() == 40);
  submission.array_limit = 5;
  const std::string script = script_of(submission);
  CHECK(script.find("#SBATCH --array=0-39%5\n") != std::string::npos);
  submission.partition.reset();
  CHECK(script_of(submission).find("partition") == std::string::npos);
}

TEST_CASE("submission: the templates beside the code are filled") {
  const TemporaryFolder folder;
  for (const char* name : {"pbs.sh", "lsf.sh", "kubernetes.yaml"}) {
    CAPTURE(name);
    Submission submission = sixty_runs();
    submission.template_file = std::string(BITLAW_SOURCE_DIR) + "/experiments/launch/templates/" + name;
    const std::string script = script_of(submission);
    CHECK(script.find("/opt/bitlaw sweep work /home/me/x.yaml --set 'precision=[a, b]'") != std::string::npos);
    CHECK(script.find("@command@") == std::string::npos);
  }
}

TEST_CASE("submission: the job's answer is kept, and a line that a crash cut short is passed over") {
  const TemporaryFolder folder;
  Submission submission = sixty_runs();
  submission.folder = folder.path();
  submission.template_file = folder.write("t.sh", "# submit: echo 17 of @tasks@\n@command@\n");
  CHECK(submit(submission).answer == "17 of 8");
  std::ofstream(folder / "submit/jobs.jsonl", std::ios::app) << "{\"job\": \"1";
  CHECK(submitted_jobs(folder.path()) == std::vector<std::string>{"17 of 8"});
  CHECK(read_file(submission.script_file()).ends_with("--set 'precision=[a, b]'\n"));
  submission.template_file = folder.write("t.sh", "# submit: bitlaw-no-such-program @script@\n");
  const std::string message = "bitlaw-no-such-program " + submission.script_file().string() +
                              " (exit code 127: there is no such program here), so nothing was submitted; the script "
                              "is " +
                              submission.script_file().string();
  CHECK_THROWS_WITH_AS(submit(submission), message.c_str(), std::runtime_error);
}

}  // namespace
}  // namespace bitlaw
