#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/file.h"
#include "experiments/cli/band_json.h"
#include "experiments/cli/given_flags.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/output_files.h"
#include "experiments/cli/schedule_answers.h"
#include "experiments/cli/verbs.h"
#include "experiments/report/numbers.h"
#include "experiments/report/table.h"

namespace bitlaw {
namespace {

constexpr double kNotGiven = -1;

struct ScheduleRequest {
  std::string what;  ///< a fit's file or a law
  GivenCoefficients coefficients;
  std::vector<std::string> set, shapes;
  double peak = 0, least = 0.01, final = kNotGiven;  ///< the last two parts of the peak
  int steps = 0, warmup = 0, decay = 0;              ///< decay 0: not given
  std::string out;
  bool json = false;
};

ScheduleQuestions questions_of(const ScheduleRequest& request) {
  ScheduleQuestions questions{.frame = {.peak = request.peak,
                                        .least = request.least * request.peak,
                                        .warmup = request.warmup,
                                        .steps = request.steps},
                              .shapes = request.shapes};
  if (request.final != kNotGiven) questions.frame.end = request.final * request.peak;
  if (request.decay > 0) questions.frame.decay = request.decay;
  return questions;
}

nlohmann::json answer_json(const ScheduleAnswer& answer, const ScheduleFrame& frame) {
  nlohmann::json json{{"shape", answer.shape},
                      {"decay_steps", answer.decay.value},
                      {"decay_interval", answer.decay.interval},
                      {"final", answer.end.value / frame.peak},
                      {"final_interval", {answer.end.interval.low / frame.peak, answer.end.interval.high / frame.peak}},
                      {"loss", answer.loss.value},
                      {"confidence95", answer.loss.confidence},
                      {"prediction95", answer.loss.prediction},
                      {"confidence95_bootstrap", answer.loss.confidence_draws},
                      {"bound", answer.bound},
                      {"notes", answer.notes}};
  if (!answer.text.empty()) json["schedule"] = answer.text;
  return json;
}

Table answer_table(const GivenScheduleLaw& given, const ScheduleFrame& frame,
                   const std::vector<ScheduleAnswer>& answers) {
  Table table{.title = fmt::format("{}{}{}: {} steps, warm-up {}, peak {:g}", given.name,
                                   given.sums.empty() ? "" : ", ", given.sums, frame.steps, frame.warmup, frame.peak),
              .header = {"shape", "decay", "of all", "95 %", "last rate / peak", "95 %", "loss", "95 % (law)", "bound"},
              .rows = {},
              .notes = {}};
  for (const ScheduleAnswer& answer : answers) {
    const Band& decay = answer.decay.interval;
    const bool draws = !std::isnan(answer.loss.confidence_draws.low);
    const Band& loss = draws ? answer.loss.confidence_draws : answer.loss.confidence;
    table.rows.push_back({answer.shape, fmt::format("{:.0f}", answer.decay.value),
                          format_value(answer.decay.value / frame.steps, 3), format_interval(decay.low, decay.high),
                          format_value(answer.end.value / frame.peak, 3),
                          format_interval(answer.end.interval.low / frame.peak, answer.end.interval.high / frame.peak),
                          fmt::format("{:.5f}", answer.loss.value), format_interval(loss.low, loss.high),
                          format_value(answer.bound, 4)});
    for (const std::string& note : answer.notes) table.notes.push_back(fmt::format("{}: {}.", answer.shape, note));
  }
  table.notes.emplace_back(
      "The losses are the law's, which is taken as true; bound is arXiv:2501.18965's for convex losses, each at its "
      "own "
      "best base rate, over the constant schedule's.");
  return table;
}

void print_schedules(const ScheduleRequest& request) {
  OutputFiles({request.what, request.coefficients.params}).add("--out", request.out);
  const GivenScheduleLaw given = given_schedule_law(request.what, request.coefficients, request.set);
  const ScheduleQuestions questions = questions_of(request);
  const std::vector<ScheduleAnswer> answers = answer_schedules(given, questions);
  const ScheduleAnswer& best = answers.front();
  if (!request.out.empty()) write_file_atomically(request.out, schedule_file_text(best.schedule));
  if (request.json) {
    nlohmann::json rows = nlohmann::json::array();
    for (const ScheduleAnswer& answer : answers) rows.push_back(answer_json(answer, questions.frame));
    fmt::print("{}\n", nlohmann::json({{"law", given.name},
                                       {"sums", given.sums},
                                       {"peak", request.peak},
                                       {"warmup", request.warmup},
                                       {"steps", request.steps},
                                       {"level", given.fit.level},
                                       {"schedules", rows}})
                           .dump());
    return;
  }
  fmt::print("{}\n", text_of(answer_table(given, questions.frame, answers)));
  for (const ScheduleAnswer& answer : answers) {
    if (!answer.text.empty()) fmt::print("  --schedule {}\n", answer.text);
  }
  if (request.out.empty()) return;
  fmt::print(
      "\n{} has the first of them, for training: {{optimizer: {{learning_rate: {:g}}}, schedule: {{kind: file, file: "
      "{}}}}} "
      "of {} steps\n",
      request.out, request.peak, request.out, request.steps);
}

}  // namespace

void add_optimum_schedule_verb(CLI::App& optimum) {
  CLI::App* verb =
      optimum.add_subcommand("schedule", "The learning-rate schedule with the least loss by a law of curves");
  const auto request = std::make_shared<ScheduleRequest>();
  verb->add_option("what", request->what,
                   "FIT: what bitlaw fit wrote of annealing, annealing_n or multi_power with --json or, for intervals "
                   "by the bootstrap, --hdf5; or LAW, with --params or --published, without intervals")
      ->required();
  verb->add_option("--params", request->coefficients.params, "Of a LAW: name=value,... or a .json");
  add_published_flag(*verb, request->coefficients);
  verb->add_option("--set", request->set,
                   "Of a LAW: lambda=0.999, warmup=as_peak|real_ramp|area_only; of annealing_n: N=1e9; may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--steps", request->steps, "Of training, T");
  verb->add_option("--warmup", request->warmup, "Steps of a linear warm-up (default 0)")->check(number_from_zero());
  verb->add_option("--peak", request->peak, "The highest learning rate, which is held")->check(number_from_zero());
  verb->add_option("--least", request->least, "The least rate that is searched, as a part of the peak (default 0.01)")
      ->check(number_from_zero());
  verb->add_option("--final", request->final, "The last rate as a part of the peak, held")
      ->check(number_between(0.0, 1.0));
  verb->add_option("--decay", request->decay, "Steps of the decay, held; of a cosine its length")
      ->check(positive_number());
  verb->add_option("--shape", request->shapes,
                   fmt::format("One of {} (any that does not rise); may be repeated (default: all)",
                               fmt::join(schedule_shapes(), ", ")))
      ->allow_extra_args(false);
  verb->add_option("--out", request->out, "FILE: the best one, as training.schedule.file in YAML takes it");
  verb->add_flag("--json", request->json, "Print one JSON document");
  verb->footer(
      "A higher peak, more steps and steps at rate 0 lower the loss of these laws without an end, so the first two "
      "are\n"
      "held and the last are refused.\n\n"
      "Examples:\n"
      "  bitlaw optimum schedule fit.h5 --peak 3e-3 --warmup 200 --steps 4000 --out best.csv\n"
      "  bitlaw optimum schedule annealing --published demo --peak 2e-4 --warmup 500 --steps 20000 --shape linear\n"
      "  bitlaw optimum schedule multi_power --published 25M --peak 3e-4 --warmup 2160 --steps 24000 --least 0.001\n"
      "  bitlaw predict fit.h5 --schedule linear:peak=3e-3,end=3e-5,warmup=200,decay_from=3000,steps=4000");
  verb->callback([request] { print_schedules(*request); });
}

}  // namespace bitlaw
