#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <map>
#include <optional>

#include "core/base/cores.h"
#include "core/record/fit_json.h"
#include "core/record/sweep_file.h"
#include "experiments/cli/fit_output.h"
#include "experiments/cli/kinetics_flags.h"
#include "experiments/cli/kinetics_traces.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/verbs.h"
#include "experiments/fits/trace_accuracy.h"
#include "experiments/report/sweep_tables.h"

namespace bitlaw {
namespace {

struct AccuracyRequest {
  std::vector<std::string> traces;
  std::string limits;
  FitOptions fit{.objective = accuracy_objective()};
  FitOutput output;
};

/// Models that answer alike but for their size: one law.
struct Setting {
  std::vector<std::size_t> answerers;
  std::vector<double> params;
};

/// The N of an answerer whose model is a number, "4e9".
std::optional<double> given_params(const std::string& model) {
  double value = 0;
  const auto [end, error] = std::from_chars(model.data(), model.data() + model.size(), value);
  if (error != std::errc() || end != model.data() + model.size() || !(value >= 1)) return std::nullopt;
  return value;
}

double params_of(const Answerer& answerer) {
  if (const auto given = given_params(answerer.words.model)) return *given;
  const AnswererWords& w = answerer.words;
  return setting_of(answerer.first_place, w.model, w.attention, w.weights, w.kv).model.params;
}

/// By what the sizes have in common: "accuracy", "accuracy top_k:1024 kv mxfp8".
std::map<std::string, Setting> settings_of(const Traces& traces) {
  std::map<std::string, Setting> settings;
  for (std::size_t a = 0; a < traces.answerers.size(); ++a) {
    AnswererWords words = traces.answerers[a].words;
    words.model = "accuracy";
    Setting& setting = settings[answerer_name(words)];
    setting.answerers.push_back(a);
    setting.params.push_back(params_of(traces.answerers[a]));
  }
  return settings;
}

std::vector<FitRecord> fit_all(const AccuracyRequest& request, const Traces& traces) {
  std::vector<FitRecord> fits;
  for (const auto& [name, setting] : settings_of(traces)) {
    const std::vector<double> limits = request.limits.empty() ? usual_token_limits(traces, setting.answerers)
                                                              : numbers_in("--tokens", request.limits, 1);
    const Observations rows = accuracy_observations(traces, setting.answerers, setting.params, limits);
    FitRecord& fit = fits.emplace_back(fit_law(find_law("accuracy"), rows, request.fit, name));
    for (std::string& warning : form_warnings(rows, fit.predicted)) fit.warnings.push_back(std::move(warning));
  }
  return fits;
}

void fit_accuracy(AccuracyRequest& request, const std::string& command) {
  check_output(request.output, request.traces);
  request.fit.threads = all_cores();
  const std::vector<FitRecord> fits = fit_all(request, read_answers(request.traces, request.fit.threads));
  for (const FitRecord& fit : fits) {
    if (!request.output.prints_json()) fmt::print("{}\n", text_of(fit_table(fit)));
  }
  write_json(request.output, fits.size() == 1 ? fit_to_json(fits.front()) : fits_json(fits));
  if (!request.output.hdf5.empty()) write_fit_file(request.output.hdf5, fits, command);
}

}  // namespace

void add_kinetics_fit_verb(CLI::App& kinetics, Invocation& invocation) {
  CLI::App* verb = kinetics.add_subcommand(
      "fit", "From scored answers of several sizes: the law of accuracy over tokens and size, with intervals");
  const auto request = std::make_shared<AccuracyRequest>();
  add_traces_argument(*verb, request->traces, "; MODEL is built in, a config.json, or its parameters N, as 4e9");
  verb->add_option("--tokens", request->limits,
                   "Where answers are cut: 4096,8192,... (default: 8 lengths that 5 to 95 % of them do not exceed)");
  verb->add_option("--level", request->fit.level, "Of the intervals (default: 0.95)")
      ->check(number_between(0.01, 0.9999));
  verb->add_option("--bootstrap", request->fit.bootstrap, "Refits to tasks drawn anew (default: 400)")
      ->check(number_between(0, 100'000));
  verb->add_option("--seed", request->fit.seed, "Of the bootstrap (default: 0)");
  verb->add_flag("--profile", request->fit.profile, "Profile intervals");
  add_json_flag(*verb, request->output);
  verb->add_option("--hdf5", request->output.hdf5, "FILE.h5: the fits with all bootstrap draws");
  verb->footer(
      "  A = c/(1 + (H/N)^s) Phi(ln(T (N/H)^e / M) / S)\n\n"
      "is the share of answers of at most T tokens that are right: c that of endless models, half of it at N = H, M "
      "the\n"
      "median length at N = H, S the spread of ln length. A law for each attention and format. Intervals rest on "
      "tasks,\n"
      "in up to 100 batches, since models share tasks and lengths share answers.\n\n"
      "Examples:\n"
      "  bitlaw kinetics simulate --hard-tokens 0 --out traces.jsonl\n"
      "  bitlaw kinetics fit traces.jsonl --tokens 5000,7000,10000,16000,32000\n"
      "  bitlaw kinetics fit 6e8=small.jsonl 4e9=middle.jsonl qwen3-32b=large.jsonl.gz --json --hdf5 fit.h5\n"
      "  bitlaw predict fit.h5 --at N=8e9,T=12000");
  verb->callback([request, &invocation] { fit_accuracy(*request, invocation.command); });
}

}  // namespace bitlaw
