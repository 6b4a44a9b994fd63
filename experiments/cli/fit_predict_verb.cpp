#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/record/table_rows.h"
#include "experiments/cli/band_json.h"
#include "experiments/cli/fit_flags.h"
#include "experiments/cli/fit_output.h"
#include "experiments/cli/given_flags.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/predict_curves.h"
#include "experiments/cli/verbs.h"
#include "experiments/fits/given_law.h"
#include "experiments/report/numbers.h"
#include "experiments/report/table.h"
#include "fitting/predict/bands.h"

namespace bitlaw {
namespace {

struct PredictRequest {
  std::string what;             ///< a fit's file or a law
  std::vector<std::string> at;  ///< "N=1e9,D=2e10"
  FitRequest data;              ///< words: tables whose rows are inputs; columns: --map
  GivenCoefficients given;
  CurvesRequest curves;
  FitOutput output;
};

/// A set of inputs and what it is called.
struct Point {
  std::string name;
  std::vector<double> inputs;
};

/// The rows of a table; its columns are the law's inputs by name or by --map.
std::vector<Point> points_in(const Law& law, const std::string& file, const FitRequest& request) {
  const auto items = items_of_map(request);
  std::vector<std::string> columns;
  for (const std::string_view input : law.inputs()) {
    const auto mapped = std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.first == input; });
    columns.push_back(mapped == items.end() ? std::string(input) : mapped->second);
  }
  const auto values = read_numbers(file, columns);  // [input][row]
  std::vector<Point> points;
  for (std::size_t row = 0; row < values.front().size(); ++row) {
    Point& point = points.emplace_back();
    point.name = fmt::format("{} row {}", file, row + 1);
    for (std::size_t k = 0; k < values.size(); ++k) {
      point.inputs.push_back(values[k][row]);
      if (values[k][row] >= least_value(law.inputs()[k])) continue;
      throw InputError(fmt::format("{}: {} is {}, so law '{}' has no value; give a number of at least {}", point.name,
                                   law.inputs()[k], values[k][row], law.name(), least_value(law.inputs()[k])));
    }
  }
  return points;
}

std::vector<Point> points_asked(const Law& law, const PredictRequest& asked) {
  std::vector<Point> points;
  for (const std::string& at : asked.at) points.push_back({at, inputs_at(law, at)});
  for (const std::string& file : asked.data.words) {
    for (Point& point : points_in(law, file, asked.data)) points.push_back(std::move(point));
  }
  if (points.empty()) {
    throw InputError(
        fmt::format("bitlaw predict {}: no inputs are given, so there is nothing to predict; write --at {}=..."
                    " or a table",
                    asked.what, fmt::join(law.inputs(), "=...,")));
  }
  return points;
}

/// InputError where flags of curves and of inputs are mixed.
void check_curves(const PredictRequest& asked) {
  const bool inputs = !asked.at.empty() || !asked.data.words.empty() || !asked.data.columns.empty();
  if (inputs && !asked.curves.schedules.empty()) {
    throw InputError(
        "--schedule: gives the law's inputs itself, so --at, --map and tables have no place beside it; ask "
        "for them apart");
  }
  if (asked.curves.schedules.empty() && (!asked.curves.set.empty() || asked.curves.peak || asked.curves.every > 0)) {
    throw InputError(
        "--set, --peak, --every: belong to --schedule, which is not given, so they would be ignored; add it");
  }
}

void predict(const PredictRequest& asked) {
  std::vector<std::string> read = words_read(asked.data, {asked.what, asked.given.params});
  read.insert(read.end(), asked.curves.schedules.begin(), asked.curves.schedules.end());
  check_output(asked.output, read);
  check_curves(asked);
  if (!asked.curves.schedules.empty()) {
    predict_curves(given_schedule_law(asked.what, asked.given, asked.curves.set), asked.curves, asked.output);
    return;
  }
  const bool fitted = is_fit_file(asked.what);
  if (fitted) check_beside_fit(asked.given, asked.what);
  FitRecord fit;
  if (fitted) fit = read_fit(asked.what);
  const std::shared_ptr<const Law> law =
      fitted ? law_of_fit(fit) : std::shared_ptr<const Law>(std::shared_ptr<const Law>(), &find_law(asked.what));
  if (!fitted) fit = fit_of_coefficients(*law, coefficients_of(*law, asked.given));
  Table table{.title = fmt::format("{}: {}", law->name(), law->equation()),
              .header = {"at", "prediction", "standard error", "95 % (law)", "95 % (one run)", "95 % (law, bootstrap)",
                         "95 % (one run, bootstrap)"},
              .rows = {},
              .notes = {"The law's form is taken as true, so far from the runs the intervals are too narrow."}};
  nlohmann::json points = nlohmann::json::array();
  for (const auto& [at, inputs] : points_asked(*law, asked)) {
    const Prediction p = predict_with_bands(*law, fit, inputs, residual_of_fit(fit));
    table.rows.push_back({at, fmt::format("{:.6g}", p.value), format_value(p.standard_error, 2),
                          format_interval(p.confidence.low, p.confidence.high),
                          format_interval(p.prediction.low, p.prediction.high),
                          format_interval(p.confidence_draws.low, p.confidence_draws.high),
                          format_interval(p.prediction_draws.low, p.prediction_draws.high)});
    nlohmann::json named = nlohmann::json::object();
    for (std::size_t k = 0; k < inputs.size(); ++k) named[std::string(law->inputs()[k])] = inputs[k];
    points.push_back({{"inputs", named},
                      {"prediction", p.value},
                      {"se", p.standard_error},
                      {"confidence95", p.confidence},
                      {"prediction95", p.prediction},
                      {"confidence95_bootstrap", p.confidence_draws},
                      {"prediction95_bootstrap", p.prediction_draws}});
  }
  if (!asked.output.prints_json()) fmt::print("{}\n", text_of(table));
  write_json(asked.output, nlohmann::json({{"law", law->name()}, {"predictions", points}}).dump());
}

}  // namespace

void add_predict_verb(CLI::App& app, Invocation&) {
  CLI::App* verb = app.add_subcommand("predict", "What a fitted law says elsewhere, with its uncertainty");
  const auto asked = std::make_shared<PredictRequest>();
  verb->add_option(
          "what", asked->what,
          "FIT: what bitlaw fit wrote with --json, or with --hdf5 for intervals by the bootstrap, too; or LAW, with "
          "--params or --published, without intervals")
      ->required();
  verb->add_option("data", asked->data.words, "Tables (.csv, .tsv, .jsonl, FILE.h5:/GROUP): a prediction for each row");
  verb->add_option("--map", asked->data.columns, "N=params,D=tokens: which columns of a table are the law's inputs")
      ->allow_extra_args(false);
  verb->add_option("--at", asked->at, "N=1e9,D=2e10: the law's inputs; may be repeated")->allow_extra_args(false);
  verb->add_option("--params", asked->given.params, "Of a LAW: name=value,... or a .json");
  add_published_flag(*verb, asked->given);
  verb->add_option("--schedule", asked->curves.schedules,
                   "Of annealing, annealing_n, multi_power: the curve of a schedule, cosine:peak=3e-4,end=3e-5,"
                   "warmup=2160,steps=24000, a table with step and lr, or a file as training.schedule.file takes it; "
                   "may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--peak", asked->curves.peak, "Of files of factors: the learning rate that they are factors on")
      ->check(positive_number());
  verb->add_option("--every", asked->curves.every, "Steps between a curve's points (default: a twentieth of it)")
      ->check(positive_number());
  verb->add_option("--set", asked->curves.set,
                   "Of a curve's LAW: lambda=0.999, warmup=real_ramp, N=1e9; may be repeated")
      ->allow_extra_args(false);
  add_json_flag(*verb, asked->output);
  verb->footer(
      "Two intervals: where the law's value lies, and where the loss of one more run lies, which has noise of its "
      "own.\n\n"
      "Examples:\n"
      "  bitlaw predict fit.h5 --at N=7e10,D=1.4e12 --at N=1e9,D=2e10\n"
      "  bitlaw predict fit.h5 planned.csv --map N=params,D=tokens\n"
      "  bitlaw predict fit.h5 --schedule linear:peak=3e-3,end=3e-4,warmup=200,decay_from=3200,steps=4000\n"
      "  bitlaw predict chinchilla --published hoffmann --at N=7e10,D=1.4e12 --json");
  verb->callback([asked] { predict(*asked); });
}

}  // namespace bitlaw
