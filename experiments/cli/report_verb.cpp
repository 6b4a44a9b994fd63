#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/record/sweep_file.h"
#include "experiments/cli/output_files.h"
#include "experiments/cli/verbs.h"
#include "experiments/report/report.h"

namespace bitlaw {
namespace {

struct ReportArguments {
  std::string sweep;
  std::string to;
  bool json = false;
};

void write_report(const ReportArguments& arguments) {
  if (std::filesystem::path(arguments.to).extension() == ".pdf") {
    throw InputError(fmt::format(
        "--to {}: the report is HTML, so nothing was written; name it .html, and print it from a browser or "
        "take Python's bitlaw.report(\"{}\", \"{}\") for PDF",
        arguments.to, arguments.sweep, arguments.to));
  }
  const std::filesystem::path beside = std::filesystem::path(arguments.sweep).replace_filename("report.html");
  const std::string html_file = arguments.to.empty() ? beside.string() : arguments.to;
  const SweepFile sweep = read_sweep_file(arguments.sweep);
  OutputFiles({arguments.sweep}).add("--to", html_file);
  write_file_atomically(html_file, html_report(sweep));
  if (arguments.json) {
    fmt::print("{}\n", nlohmann::json{{"experiment", sweep.experiment},
                                      {"runs", sweep.runs.size()},
                                      {"fits", sweep.fits.size()},
                                      {"html", html_file}}
                           .dump());
    return;
  }
  fmt::print("{}\n{}\n", text_report(sweep), html_file);
}

}  // namespace

void add_report_verb(CLI::App& app, Invocation&) {
  CLI::App* verb = app.add_subcommand("report", "Write the HTML report of a sweep file, and print it as text");
  const auto arguments = std::make_shared<ReportArguments>();
  verb->add_option("sweep", arguments->sweep, "A sweep.h5 of bitlaw run or bitlaw sweep merge")
      ->required()
      ->type_name("SWEEP.h5");
  verb->add_option("--to", arguments->to, "The HTML file (default: report.html beside the sweep file)")
      ->type_name("FILE");
  verb->add_flag("--json", arguments->json, "Print one JSON document instead of the text");
  verb->footer(
      "One file with tables, figures, verdicts, warnings and where everything came from; it needs no network and no\n"
      "other file. Printed, it fits A4; in Python, bitlaw.report(\"sweep.h5\", \"report.pdf\") prints it.\n\n"
      "Examples:\n"
      "  bitlaw report results/quickstart/sweep.h5\n"
      "  bitlaw sweep merge a/sweep.h5 b/sweep.h5 --to both.h5 && bitlaw report both.h5 --to both.html");
  verb->callback([arguments] { write_report(*arguments); });
}

}  // namespace bitlaw
