#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "experiments/cli/given_flags.h"
#include "experiments/cli/kinetics_flags.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/optimum_answers.h"
#include "experiments/cli/training_cost_file.h"
#include "experiments/cli/verbs.h"
#include "experiments/fits/fit_request.h"
#include "experiments/fits/given_law.h"
#include "experiments/report/numbers.h"
#include "experiments/report/table.h"

namespace bitlaw {
namespace {

struct OptimumRequest {
  std::string what;  ///< a fit's file or a law
  std::string law;   ///< a law, in its place
  GivenCoefficients given;
  std::string compute, sizes, set, hold, cost;
  double bits = 0, loss = 0, scale_bits = -1;  ///< 0, 0, below 0: not given
  std::vector<std::string> formats;
  bool layouts = false, json = false;
};

/// The items of "N=1e9,D=2e10".
std::map<std::string, double> items_in(const std::string& flag, const std::string& text) {
  std::map<std::string, double> items;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const auto [name, number] = key_and_value(flag, std::string(item));
    double value = 0;
    if (!parses_as_number(number, value)) {
      throw InputError(fmt::format("{} {}: gives '{}' no number, so nothing was done; write for example {} {}=1e9",
                                   flag, text, name, flag, name));
    }
    if (!items.emplace(name, value).second) refuse_given_twice(flag + " " + text, name);
  }
  return items;
}

/// The number that `items` give for `name`, which is taken from them.
std::optional<double> taken(std::map<std::string, double>& items, const std::string& name) {
  const auto node = items.extract(name);
  return node.empty() ? std::nullopt : std::optional(node.mapped());
}

void refuse_rest(const char* flag, const std::map<std::string, double>& rest, const char* known) {
  if (rest.empty()) return;
  throw InputError(
      fmt::format("{} {}=...: is not known, so nothing was done; it takes {}", flag, rest.begin()->first, known));
}

/// A YAML file or "factor=0.375,offset=0".
TrainingCost cost_of(const std::string& text) {
  const auto extension = std::filesystem::path(text).extension();
  if (extension == ".yaml" || extension == ".yml") return read_training_cost(text);
  TrainingCost cost;
  std::map<std::string, double> items = items_in("--cost", text);
  cost.factor = taken(items, "factor").value_or(cost.factor);
  cost.offset = taken(items, "offset").value_or(0);
  refuse_rest("--cost", items, "factor and offset, or the .yaml of a formula");
  if (!(cost.factor > 0) || !(cost.offset >= 0)) {
    throw InputError(
        fmt::format("--cost {}: makes training free or worse, so there is no best; give a positive factor and "
                    "an offset of at least 0",
                    text));
  }
  return cost;
}

OptimumQuestions questions_of(const OptimumRequest& request) {
  OptimumQuestions questions;
  if (!request.compute.empty()) questions.compute = numbers_in("--compute", request.compute, 1);
  if (!request.sizes.empty()) questions.sizes = numbers_in("--size", request.sizes, 1);
  questions.given = items_in("--set", request.set);
  std::map<std::string, double> hold = items_in("--hold", request.hold);
  questions.held = {.params = taken(hold, "N"), .tokens = taken(hold, "D"), .bits = std::nullopt};
  refuse_rest("--hold", hold, "N and D");
  if (request.bits > 0) questions.held.bits = request.bits;
  questions.cost = cost_of(request.cost);
  questions.formats = request.formats;
  if (request.loss > 0) questions.loss = request.loss;
  if (request.scale_bits >= 0) questions.scale_bits = request.scale_bits;
  questions.layouts = request.layouts;
  return questions;
}

/// JSON has no infinity, and NaN becomes null.
nlohmann::json end_json(double end) { return std::isinf(end) ? nlohmann::json("open") : nlohmann::json(end); }

nlohmann::json answer_json(const OptimumAnswer& answer) {
  const auto& [low, high] = answer.quantity.interval;
  return {{"of", answer.question},
          {"name", answer.name},
          {"value", answer.quantity.value},
          {"interval", {end_json(low), end_json(high)}}};
}

Table answer_table(const Law& law, const FitRecord& fit, const std::vector<OptimumAnswer>& answers) {
  Table table{.title = fmt::format("{}: {}", law.name(), law.equation()),
              .header = {"for", "best", "value", fmt::format("{:g} % interval", 100 * fit.level)},
              .rows = {},
              .notes = {}};
  bool none = false;
  for (const OptimumAnswer& answer : answers) {
    none = none || std::isnan(answer.quantity.value);
    table.rows.push_back({answer.question, answer.name, format_value(answer.quantity.value, 5),
                          format_interval(answer.quantity.interval.low, answer.quantity.interval.high)});
  }
  table.notes.emplace_back("The law's form is taken as true, so far from the runs the intervals are too narrow.");
  if (std::any_of(answers.begin(), answers.end(), [](const auto& answer) { return answer.quantity.from_draws; })) {
    table.notes.emplace_back(
        "Intervals are plain percentiles of the bootstrap's draws; those that bitlaw fit gives are calibrated, so "
        "somewhat other.");
  }
  if (none) {
    table.notes.emplace_back(
        "–: there is none: the loss falls to the end of what was searched, or no number of tokens brings it down to "
        "--loss.");
  }
  return table;
}

void print_optimum(const OptimumRequest& request) {
  if (request.what.empty() == request.law.empty()) {
    throw InputError(
        "bitlaw optimum: no law is named, or two are, so there is no answer; give a fit's file, a law or "
        "--law");
  }
  const OptimumQuestions questions = questions_of(request);
  const std::string& what = request.what.empty() ? request.law : request.what;
  const bool fitted = is_fit_file(what);
  if (fitted) check_beside_fit(request.given, what);
  FitRecord fit;
  if (fitted) fit = read_fit(what);
  const std::shared_ptr<const Law> law =
      fitted ? law_of_fit(fit) : std::shared_ptr<const Law>(std::shared_ptr<const Law>(), &find_law(what));
  if (!fitted) fit = fit_of_coefficients(*law, coefficients_of(*law, request.given));
  const std::vector<OptimumAnswer> answers = answer_questions(*law, fit, questions);
  if (!request.json) {
    fmt::print("{}\n", text_of(answer_table(*law, fit, answers), 2));
    return;
  }
  nlohmann::json rows = nlohmann::json::array();
  for (const OptimumAnswer& answer : answers) rows.push_back(answer_json(answer));
  fmt::print("{}\n", nlohmann::json({{"law", law->name()}, {"level", fit.level}, {"answers", rows}}).dump());
}

}  // namespace

void add_optimum_verb(CLI::App& app, Invocation&) {
  CLI::App* verb = app.add_subcommand("optimum", "What a law says is best: size, tokens, bits, layout, block");
  const auto request = std::make_shared<OptimumRequest>();
  verb->add_option("what", request->what,
                   "FIT: what bitlaw fit wrote with --json or, for intervals by the bootstrap, --hdf5; or LAW, with "
                   "--params or --published, without intervals");
  verb->add_option("--law", request->law, "LAW, in place of the first word; capybara is fp_quantization");
  verb->add_option("--params", request->given.params, "Of a LAW: name=value,... or a .json");
  add_published_flag(*verb, request->given);
  verb->add_option("--compute", request->compute,
                   "1e21,1e23: budgets in FLOP; the best N and D for each, and bits where the law has them");
  verb->add_option("--bits", request->bits, "Bits of an operand, held (default: free where the law has them, else 16)")
      ->check(number_between(1.0, 64.0));
  verb->add_option("--hold", request->hold, "N=1e9 or D=1e12: held while a budget is split");
  verb->add_option(
      "--cost", request->cost,
      "factor=0.375,offset=0: C = factor (bits + offset) N D (default; 6 N D at 16 bits); or a .yaml with cost: a "
      "formula of N, D, P and names: {...}");
  verb->add_option("--set", request->set, "B=128,...: the law's other inputs");
  verb->add_option("--size", request->sizes,
                   "1e9,7e10: for each N, the tokens beyond which more of them raise the loss");
  verb->add_option("--format", request->formats,
                   "e4m3, mxfp4, ...: exponent, mantissa and block of --size; may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--loss", request->loss, "Also the tokens that reach it, for each --size")->check(positive_number());
  verb->add_option("--scale-bits", request->scale_bits,
                   "Instead: the best elements per scale of so many bits, for each --compute, --size and --format")
      ->check(number_from_zero());
  verb->add_flag("--layouts", request->layouts, "Also the best exponent and mantissa bits for 1 to 16 bits");
  verb->add_flag("--json", request->json, "Print one JSON document");
  verb->footer(
      "A cost model is a file such as\n"
      "  cost: k * (P + b) * N * D      # FLOP; P bits of an operand\n"
      "  names: {k: 0.375, b: 2}\n\n"
      "Examples:\n"
      "  bitlaw optimum --law capybara --published --set B=128 --compute 1e21 --cost cost.yaml\n"
      "  bitlaw optimum fp_quantization --published sun --set B=128 --compute 1e21,1e25,1e31\n"
      "  bitlaw optimum fp_quantization --published sun --set B=128 --size 1e9 --format e4m3 --format e2m1\n"
      "  bitlaw optimum fp_quantization --published sun --format e2m1 --compute 1e20 --size 1e9 --scale-bits 8\n"
      "  bitlaw optimum fp_quantization --published sun --layouts\n"
      "  bitlaw optimum fit.h5 --compute 5.76e23 --size 7e10 --loss 2.1 --json\n"
      "  bitlaw optimum schedule --help");
  add_optimum_schedule_verb(*verb);
  verb->callback([verb, request] {
    if (!verb->get_subcommands().empty()) return;  // which has done its work
    print_optimum(*request);
  });
}

}  // namespace bitlaw
