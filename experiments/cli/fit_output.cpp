#include "experiments/cli/fit_output.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <iterator>
#include <string_view>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/record/csv.h"
#include "core/record/fit_json.h"
#include "experiments/cli/output_files.h"
#include "fitting/laws/law.h"

namespace bitlaw {
namespace {

struct Split {
  const char* name;
  const Observations& observations;
  const std::vector<double>& predicted;
};

void append_rows(std::string& text, const std::string& fit, const Split& split) {
  const Observations& rows = split.observations;
  for (std::size_t i = 0; i < rows.loss.size(); ++i) {
    const double observed = rows.loss[i], predicted = split.predicted[i];
    fmt::format_to(std::back_inserter(text), "{},{},{},{},{},{},{},{}\n", csv_cell(fit), split.name,
                   csv_cell(rows.ids[i]), csv_cell(rows.cluster[i]), fmt::join(rows.inputs[i], ","), observed,
                   predicted, std::log(observed / predicted));
  }
}

/// --json before a data file takes it for the file to write.
void check_is_no_table(const std::string& json) {
  for (const std::string_view extension : {".csv", ".tsv", ".jsonl", ".ndjson", ".gz", ".h5"}) {
    if (!json.ends_with(extension)) continue;
    throw InputError(
        fmt::format("--json {}: the word behind --json is the file to write, and this is a table by its name, so it "
                    "would be lost and not be read; write --json at the end, or a name in .json behind it",
                    json));
  }
}

}  // namespace

void add_json_flag(CLI::App& verb, FitOutput& output) {
  verb.add_option_function<std::vector<std::string>>(
          "--json",
          [&output](const std::vector<std::string>& words) {
            output.json = words.empty() ? "" : words.front();
            output.json_alone = output.json.empty();
          },
          "[FILE]: write one JSON document; to standard output, instead of text, for - or no word")
      ->expected(0, 1);
}

void check_output(const FitOutput& output, const std::vector<std::string>& inputs) {
  OutputFiles files(inputs);
  if (!output.prints_json()) {
    check_is_no_table(output.json);
    files.add("--json", output.json);
  }
  files.add("--residuals", output.residuals);
  files.add("--hdf5", output.hdf5);
}

std::string fits_json(const std::vector<FitRecord>& fits) {
  std::vector<std::string> texts;
  for (const FitRecord& fit : fits) texts.push_back(fit_to_json(fit));
  return fmt::format("{{\"fits\":[{}]}}", fmt::join(texts, ","));
}

void write_json(const FitOutput& output, const std::string& text) {
  if (output.prints_json()) {
    fmt::print("{}\n", text);
  } else if (!output.json.empty()) {
    write_file_atomically(output.json, text + "\n");
  }
}

void write_residuals(const std::string& path, const Law& law, const std::vector<FittedData>& fits) {
  std::string text = fmt::format("fit,split,row,run,{},observed,predicted,residual\n", fmt::join(law.inputs(), ","));
  for (const FittedData& fitted : fits) {
    append_rows(text, fitted.fit.name, {"train", fitted.data.observations, fitted.fit.predicted});
    append_rows(text, fitted.fit.name, {"test", fitted.data.held_out, fitted.held_out_predicted});
  }
  write_file_atomically(path, text);
}

}  // namespace bitlaw
