#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "core/base/file.h"
#include "core/record/sweep_file.h"
#include "experiments/cli/experiment_flags.h"
#include "experiments/cli/output_files.h"
#include "experiments/cli/verbs.h"
#include "experiments/launch/garbage.h"
#include "experiments/launch/run_store.h"
#include "experiments/report/curve_table.h"
#include "experiments/report/run_table.h"
#include "experiments/report/sweep_union.h"
#include "experiments/sweep/experiment_file.h"

namespace bitlaw {
namespace {

constexpr int kDifferent = 1;

struct TableArguments : ExperimentArguments {
  std::string format = "csv";
  std::optional<std::string> to;
};

/// The finished runs of an experiment, or those of a sweep file.
SweepFile sweep_of(const ExperimentArguments& arguments, const std::string& command) {
  if (arguments.file.ends_with(".h5")) {
    arguments.expect_file_alone();
    return read_sweep_file(arguments.file);
  }
  const Experiment experiment = arguments.plan();
  const RunStore store(arguments.results(experiment));
  SweepFile sweep{.experiment = experiment.name,
                  .title = experiment.title,
                  .command = command,
                  .config_yaml = experiment.yaml,
                  .failed_runs = 0,
                  .runs = {},
                  .fits = {}};
  for (const PlannedRun& run : experiment.runs) {
    if (auto record = store.load(run)) sweep.runs.push_back(std::move(*record));
  }
  return sweep;
}

/// An experiment with the files that it extends, or the sweep file alone.
std::vector<std::string> files_read(const ExperimentArguments& arguments) {
  if (arguments.file.ends_with(".h5")) return {arguments.file};
  return read_experiment_file(arguments.file, {}).files;
}

void table(const TableArguments& arguments, const std::string& command) {
  const bool hdf5 = arguments.format == "hdf5";
  if (hdf5 && !arguments.to) throw InputError("--format hdf5 writes a file, so it needs its name; add --to FILE");
  OutputFiles(files_read(arguments)).add("--to", arguments.to.value_or(""));
  const SweepFile sweep = sweep_of(arguments, command);
  if (hdf5) {
    write_sweep_file(*arguments.to, sweep);
    return;
  }
  const std::string text = arguments.format == "csv" ? runs_csv(sweep.runs) : runs_json(sweep.runs);
  if (arguments.to) {
    write_file_atomically(*arguments.to, text);
  } else {
    fmt::print("{}", text);
  }
}

void add_table(CLI::App& sweep, Invocation& invocation) {
  CLI::App* verb = sweep.add_subcommand("table", "The finished runs as CSV, JSON or HDF5: a row each");
  const auto arguments = std::make_shared<TableArguments>();
  add_experiment_flags(*verb, *arguments, "Experiment, a YAML file, or a sweep.h5");
  verb->add_option("--format", arguments->format, "csv, json or hdf5 (default: csv)")
      ->check(CLI::IsMember({"csv", "json", "hdf5"}));
  verb->add_option("--to", arguments->to, "File to write (default: standard output)");
  verb->footer(
      "Examples:\n"
      "  bitlaw sweep table x.yaml > runs.csv\n"
      "  bitlaw sweep table results/x/sweep.h5 --format json\n"
      "  bitlaw sweep table x.yaml --format hdf5 --to so_far.h5");
  verb->callback([arguments, &invocation] { table(*arguments, invocation.command); });
}

struct CurvesArguments : ExperimentArguments {
  std::string to;
};

void write_curves(const CurvesArguments& arguments, const std::string& command) {
  const SweepFile sweep = sweep_of(arguments, command);
  if (sweep.runs.empty()) {
    throw InputError(fmt::format(
        "{}: has no finished run of experiment '{}', so there are no curves; train it first with bitlaw run",
        arguments.file, sweep.experiment));
  }
  const std::filesystem::path folder = arguments.to;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw InputError(fmt::format("--to {}: the folder cannot be made ({}), so no curves were written; name another",
                                 arguments.to, error.message()));
  }
  OutputFiles outputs(files_read(arguments));
  std::vector<std::filesystem::path> files;
  for (const RunRecord& run : sweep.runs) {
    files.push_back(folder / (run.run_id.substr(0, 8) + ".csv"));
    outputs.add("--to", arguments.to, files.back());
  }
  std::vector<std::string> tables;  // all of them before the first is written
  for (const RunRecord& run : sweep.runs) tables.push_back(curve_csv(run));
  const std::vector<std::string> labels = run_labels(sweep.runs);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    write_file_atomically(files[i], tables[i]);
    fmt::print("{}  {}\n", files[i].string(), labels[i]);
  }
}

void add_curves(CLI::App& sweep, Invocation& invocation) {
  CLI::App* verb = sweep.add_subcommand("curves", "The losses of each finished run by step, a CSV file each");
  const auto arguments = std::make_shared<CurvesArguments>();
  add_experiment_flags(*verb, *arguments, "Experiment, a YAML file, or a sweep.h5");
  verb->add_option("--to", arguments->to, "Folder to write into")->required();
  verb->footer(
      "Columns step, lr, train_loss, validation_loss; a row for each step, so that laws of the learning rate have "
      "every\n"
      "rate, with losses where the run recorded them (training.curve_every, training.validate_every).\n\n"
      "Examples:\n"
      "  bitlaw sweep curves x.yaml --to curves\n"
      "  bitlaw sweep curves results/x/sweep.h5 --to curves\n"
      "  bitlaw fit annealing curves/8e7e2337.csv --map loss=validation_loss --set lambda=0.99,0.999");
  verb->callback([arguments, &invocation] { write_curves(*arguments, invocation.command); });
}

void add_merge(CLI::App& sweep, Invocation& invocation) {
  CLI::App* verb = sweep.add_subcommand("merge", "Join the runs of sweep files, each once, into one");
  const auto files = std::make_shared<std::vector<std::string>>();
  const auto to = std::make_shared<std::string>();
  verb->add_option("files", *files, "sweep.h5 of two or more experiments")->required()->expected(2, 10'000);
  verb->add_option("--to", *to, "File to write")->required();
  verb->footer(
      "Runs are the same when their ids are; the same run with other bits is refused. Fits are not kept: they were\n"
      "made of fewer runs.\n\n"
      "Examples:\n"
      "  bitlaw sweep merge results/a/sweep.h5 results/b/sweep.h5 --to all.h5\n"
      "  bitlaw fit chinchilla all.h5");
  verb->callback([files, to, &invocation] {
    std::vector<NamedSweep> sweeps;
    for (const std::string& file : *files) sweeps.push_back({file, read_sweep_file(file)});
    OutputFiles(*files).add("--to", *to);
    write_sweep_file(*to, merged(sweeps, invocation.command));
  });
}

void add_diff(CLI::App& sweep, Invocation& invocation) {
  CLI::App* verb = sweep.add_subcommand("diff", "What one sweep file has and another has not: values, runs, bits");
  const auto files = std::make_shared<std::vector<std::string>>();
  verb->add_option("files", *files, "Two sweep.h5")->required()->expected(2);
  verb->footer(
      "Exit code 0 when both have the same runs with the same bits, 1 when not.\n\n"
      "Examples:\n"
      "  bitlaw sweep diff results/a/sweep.h5 results/b/sweep.h5");
  verb->callback([files, &invocation] {
    const std::string text =
        difference_text({files->at(0), read_sweep_file(files->at(0))}, {files->at(1), read_sweep_file(files->at(1))});
    fmt::print("{}", text.empty() ? "the same runs with the same bits\n" : text);
    if (!text.empty()) invocation.exit_code = kDifferent;
  });
}

struct CollectArguments : ExperimentArguments {
  bool remove = false;
};

void collect(const CollectArguments& arguments) {
  const Experiment experiment = arguments.plan();
  const std::vector<Garbage> found = garbage(experiment, arguments.results(experiment));
  std::uintmax_t bytes = 0;
  for (const Garbage& one : found) {
    fmt::print("{}  {} bytes\n", one.path.string(), one.bytes);
    bytes += one.bytes;
  }
  if (arguments.remove) remove(found);
  fmt::print("{} in all, {} bytes{}\n", found.size(), bytes,
             arguments.remove ? ", removed"
             : found.empty()  ? ""
                              : "; add --delete to remove them");
}

void add_gc(CLI::App& sweep) {
  CLI::App* verb = sweep.add_subcommand("gc", "Find what the results folder holds beyond the experiment's runs");
  const auto arguments = std::make_shared<CollectArguments>();
  add_experiment_flags(*verb, *arguments);
  verb->add_flag("--delete", arguments->remove, "Remove what is listed");
  verb->footer(
      "Lists folders of runs that the file no longer has, and damaged files that were set aside. Runs that a process\n"
      "has claimed are left alone.\n\n"
      "Examples:\n"
      "  bitlaw sweep gc x.yaml\n"
      "  bitlaw sweep gc x.yaml --delete");
  verb->callback([arguments] { collect(*arguments); });
}

}  // namespace

void add_sweep_files_verbs(CLI::App& sweep, Invocation& invocation) {
  add_table(sweep, invocation);
  add_curves(sweep, invocation);
  add_merge(sweep, invocation);
  add_diff(sweep, invocation);
  add_gc(sweep);
}

}  // namespace bitlaw
