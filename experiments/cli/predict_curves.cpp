#include "experiments/cli/predict_curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "experiments/cli/band_json.h"
#include "experiments/report/numbers.h"
#include "experiments/report/table.h"
#include "fitting/predict/bands.h"

namespace bitlaw {
namespace {

std::vector<std::size_t> steps_shown(std::size_t last, int every) {
  const std::size_t stride = every > 0 ? static_cast<std::size_t>(every) : std::max<std::size_t>(1, last / 20);
  std::vector<std::size_t> steps;
  for (std::size_t step = stride; step < last; step += stride) steps.push_back(step);
  steps.push_back(last);
  return steps;
}

/// Where the laws of the learning rate are known to be wrong.
std::vector<std::string> notes_on(const Schedule& schedule) {
  std::vector<std::string> notes;
  const auto peak = std::max_element(schedule.begin(), schedule.end());
  if (std::adjacent_find(peak, schedule.end(), std::less<>()) != schedule.end()) {
    notes.emplace_back(
        "The rate rises again behind its peak, where these laws are known to be off (arXiv:2408.11029).");
  }
  const auto moving = std::find_if(schedule.rbegin(), schedule.rend(), [](double rate) { return rate > 0; });
  const auto still = moving - schedule.rbegin();
  if (still > 1) {
    notes.push_back(
        fmt::format("The last {} steps have rate 0 and train nothing; that the annealing law's loss falls in them is "
                    "an error of the "
                    "law.",
                    still));
  }
  return notes;
}

std::string range(const Band& band) { return format_interval(band.low, band.high); }

nlohmann::json point_json(std::size_t step, double rate, const Prediction& p) {
  return {{"step", step},
          {"lr", rate},
          {"prediction", p.value},
          {"se", p.standard_error},
          {"confidence95", p.confidence},
          {"prediction95", p.prediction},
          {"confidence95_bootstrap", p.confidence_draws},
          {"prediction95_bootstrap", p.prediction_draws}};
}

}  // namespace

void predict_curves(const GivenScheduleLaw& given, const CurvesRequest& request, const FitOutput& output) {
  nlohmann::json curves = nlohmann::json::array();
  for (const std::string& word : request.schedules) {
    const Schedule schedule = given_schedule(word, request.peak);
    check_rates(given, schedule, "--schedule " + word);
    const LawAlongSchedule along = given.law.along(schedule);
    Table table{.title = fmt::format("{}: {}", given.name, word),
                .header = {"step", "learning rate", "prediction", "95 % (law)", "95 % (one run)",
                           "95 % (law, bootstrap)", "95 % (one run, bootstrap)"},
                .rows = {},
                .notes = notes_on(schedule)};
    nlohmann::json points = nlohmann::json::array();
    for (const std::size_t step : steps_shown(schedule.size() - 1, request.every)) {
      const Prediction p = predict_with_bands(*along.law, given.fit, along.inputs[step], residual_of_fit(given.fit));
      table.rows.push_back({std::to_string(step), format_value(schedule[step]), fmt::format("{:.6g}", p.value),
                            range(p.confidence), range(p.prediction), range(p.confidence_draws),
                            range(p.prediction_draws)});
      points.push_back(point_json(step, schedule[step], p));
    }
    curves.push_back({{"schedule", word}, {"points", points}, {"notes", table.notes}});
    table.notes.emplace_back("The law's form is taken as true, so far from the runs the intervals are too narrow.");
    if (!output.prints_json()) fmt::print("{}\n", text_of(table));
  }
  write_json(output, nlohmann::json({{"law", given.name}, {"sums", given.sums}, {"curves", curves}}).dump());
}

}  // namespace bitlaw
