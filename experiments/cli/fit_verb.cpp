#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <thread>

#include "core/record/fit_json.h"
#include "experiments/cli/fit_request.h"
#include "experiments/cli/verbs.h"
#include "experiments/report/sweep_tables.h"
#include "fitting/laws/law.h"

namespace bitlaw {
namespace {

void fit(const FitRequest& request, bool json) {
  const int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const std::vector<FitRecord> fits = fits_asked(request, threads);
  if (json) {
    std::vector<std::string> texts;
    for (const FitRecord& record : fits) texts.push_back(fit_to_json(record));
    fmt::print("{{\"fits\":[{}]}}\n", fmt::join(texts, ","));
    return;
  }
  for (const FitRecord& record : fits) fmt::print("{}\n", text_of(fit_table(record)));
}

}  // namespace

void add_fit_verb(CLI::App& app, Invocation&) {
  CLI::App* verb = app.add_subcommand("fit", "Fit a law to the runs of a sweep file or to the rows of a CSV");
  const auto request = std::make_shared<FitRequest>();
  const auto json = std::make_shared<bool>(false);
  verb->add_option("file", request->file, "sweep.h5 of an experiment, or a .csv with a header")->required();
  verb->add_option("--law", request->law, fmt::format("One of: {}", fmt::join(law_names(), ", ")))->required();
  verb->add_option("--where", request->where, "key=value or key=[a, b]: take these runs only; may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--per", request->per, "One fit for each value of this key");
  verb->add_option("--fixed", request->fixed, "name=value: hold a parameter; may be repeated")->allow_extra_args(false);
  verb->add_option("--map", request->columns, "CSV: N=params,D=tokens,loss=val_loss says which columns to take");
  verb->add_option("--bootstrap", request->bootstrap, "Refits to resampled runs (default: 400)");
  verb->add_option("--huber-delta", request->huber_delta, "Threshold on log residuals (default: 0.001)");
  verb->add_flag("--json", *json, "Print one JSON document");
  verb->footer(
      "Of a CSV, the columns named as the law's inputs (N, D, G, B, E, M) and 'loss' are taken unless --map says\n"
      "otherwise; rows that share a value of the column that 'run' maps to are resampled together.\n\n"
      "Examples:\n"
      "  bitlaw fit results/quickstart/sweep.h5 --law chinchilla --where precision=float32\n"
      "  bitlaw fit results/quickstart/sweep.h5 --law chinchilla --per precision --fixed E=1.5\n"
      "  bitlaw fit runs.csv --law chinchilla --map N=params,D=tokens,loss=val_loss --json");
  verb->callback([request, json] { fit(*request, *json); });
}

}  // namespace bitlaw
