#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "core/base/error.h"
#include "experiments/cli/element_progress.h"
#include "experiments/cli/experiment_flags.h"
#include "experiments/cli/verbs.h"
#include "experiments/launch/doctor.h"

namespace bitlaw {
namespace {

struct DoctorArguments : ExperimentArguments {
  bool json = false;
};

std::filesystem::path folder_of(const DoctorArguments& arguments) {
  std::error_code error;
  if (std::filesystem::is_directory(arguments.file, error)) {
    arguments.expect_file_alone();
    return arguments.file;
  }
  const std::string ending = std::filesystem::path(arguments.file).extension().string();
  try {
    return arguments.results(arguments.plan());
  } catch (const InputError& refusal) {
    if (ending == ".yaml" || ending == ".yml") throw;
    throw InputError(
        fmt::format("{}: is neither a results folder nor a result file, FILE.h5, and as an experiment it "
                    "is refused: {}",
                    arguments.file, refusal.what()));
  }
}

/// By its name, since one that is damaged may be anything.
bool is_result_file(const std::filesystem::path& file) {
  const std::string ending = file.extension().string();
  std::error_code error;
  return (ending == ".h5" || ending == ".hdf5" || ending == ".nc") && !std::filesystem::is_directory(file, error);
}

Diagnosis look_into_folder(const std::filesystem::path& results) {
  ElementProgress progress(stderr, ::isatty(STDERR_FILENO) == 1, item_progress_line);
  DoctorOptions options;
  options.pause = [wait = options.pause](double seconds) {
    fmt::print(stderr, "watching the claims of other hosts for {:.0f} s\n", seconds);
    wait(seconds);
  };
  options.on_progress = [&](std::size_t done, std::size_t all) {
    progress.update(static_cast<std::int64_t>(done), static_cast<std::int64_t>(all));
  };
  return examine(results, options);
}

int look(const DoctorArguments& arguments) {
  const bool is_file = is_result_file(arguments.file);
  if (is_file) arguments.expect_file_alone();
  const std::filesystem::path results = is_file ? std::filesystem::path(arguments.file) : folder_of(arguments);
  const Diagnosis diagnosis = is_file ? examine_file(results) : look_into_folder(results);
  fmt::print("{}", (arguments.json ? diagnosis_json : diagnosis_text)(results, diagnosis));
  return diagnosis.findings.empty() ? 0 : kSomeFailed;
}

}  // namespace

void add_doctor_verb(CLI::App& app, Invocation& invocation) {
  CLI::App* verb =
      app.add_subcommand("doctor", "Find and explain what is wrong in a results folder or file; changes nothing");
  const auto arguments = std::make_shared<DoctorArguments>();
  add_experiment_flags(*verb, *arguments, "Results folder, the experiment, a YAML file, or a result file, FILE.h5");
  verb->add_flag("--json", arguments->json, "Print one JSON document");
  verb->footer(
      "Looks at every result, checkpoint, claim and attempt, at plan.json, sweep.h5, half-written files, the clock "
      "and\n"
      "the disk. It may be asked while others work in the folder.\n"
      "Of a result file it tells what is not as core/record/README.md describes it; what others added is allowed.\n"
      "Exit codes: 0 nothing found, 1 something found, 2 wrong input.\n\n"
      "Examples:\n"
      "  bitlaw doctor results/x\n"
      "  bitlaw doctor x.yaml --out /shared/x --json\n"
      "  bitlaw doctor results/x/sweep.h5");
  verb->callback([arguments, &invocation] { invocation.exit_code = look(*arguments); });
}

}  // namespace bitlaw
