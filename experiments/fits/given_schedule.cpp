#include "experiments/fits/given_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/record/table_rows.h"
#include "experiments/fits/curve_files.h"
#include "experiments/fits/fit_curves.h"
#include "experiments/fits/fit_request.h"
#include "experiments/fits/sum_convention.h"
#include "experiments/sweep/training_values.h"
#include "experiments/sweep/yaml_node.h"
#include "fitting/laws/schedule_text.h"
#include "simulators/optim/schedule.h"

namespace bitlaw {
namespace {

constexpr std::int64_t kMostSteps = 100'000'000;  // beyond is a mistake

/// What --set says of the sums S1 and S2, and the law's inputs.
struct GivenSettings {
  std::map<std::string, std::string> of_sums;  ///< lambda and warmup, as typed
  std::map<std::string, double> inputs;
};

GivenSettings settings_in(const std::vector<std::string>& set) {
  FitRequest request;
  request.set = set;
  GivenSettings settings;
  for (const auto& [key, text] : settings_of(request)) {
    double value = 0;
    if (key == "lambda" || key == "warmup") {
      settings.of_sums.emplace(key, text);
    } else if (parses_as_number(text, value)) {
      settings.inputs.emplace(key, value);
    } else {
      refuse_setting(key, text, "is no number, so the law has no value; write for example N=1e9");
    }
  }
  return settings;
}

/// InputError where a setting of the sums would be ignored.
void refuse_of_sums(const GivenSettings& settings, const char* reason) {
  for (const auto& [key, text] : settings.of_sums) refuse_setting(key, text, reason);
}

void set_convention(SumConvention& sums, const GivenSettings& settings) {
  for (const auto& [key, text] : settings.of_sums) {
    if (key == "warmup") {
      sums.warmup = warmup_in(text);
      continue;
    }
    const std::vector<double> lambdas = lambdas_in(text);
    if (lambdas.size() != 1)
      refuse_setting(key, text, "is not one number, so S2 is not known; write for example 0.999");
    sums.lambda = lambdas.front();
  }
}

bool has_rates(const std::string& file) { return is_table(file) && open_table(file)->contains("lr"); }

/// The rates of a file of steps and factors.
Schedule schedule_of_factors(const std::string& file, std::optional<double> peak) {
  ScheduleConfig config{.kind = ScheduleKind::File, .file = file, .points = read_schedule(file)};
  if (!peak) {
    throw InputError(fmt::format(
        "--schedule {}: holds factors on a peak learning rate that it does not say, so no loss follows; add --peak, or "
        "give a table with the columns step and lr",
        file));
  }
  const std::int64_t steps = config.points.back().first + 1;
  if (steps > kMostSteps)
    throw InputError(fmt::format("--schedule {}: ends at step {}, which is no number of steps; correct its last line",
                                 file, steps - 1));
  Schedule schedule;
  for (std::int64_t step = 0; step < steps; ++step) schedule.push_back(*peak * schedule_factor(config, step, steps));
  return schedule;
}

}  // namespace

GivenScheduleLaw given_schedule_law(const std::string& what, const GivenCoefficients& coefficients,
                                    const std::vector<std::string>& set) {
  const bool fitted = is_fit_file(what);
  if (fitted) check_beside_fit(coefficients, what);
  FitRecord fit;
  if (fitted) fit = read_fit(what);
  const std::string name = fitted ? fit.law : what;
  const Law& registered = law_called(name);
  if (!fitted) fit = fit_of_coefficients(registered, coefficients_of(registered, coefficients));
  const GivenSettings settings = settings_in(set);
  if (fitted) refuse_of_sums(settings, "is what the fit was made with and says itself; leave it out or fit anew");
  SumConvention sums = sum_convention_of(fit.equation);
  set_convention(sums, settings);
  ScheduleLaw law(name, sums, settings.inputs);
  if (!law.is_of_sums()) {
    refuse_of_sums(settings, "is about S1 and S2, which this law does not form, so it would be ignored; leave it out");
  }
  return {name, law.is_of_sums() ? text_of(sums) : "", std::move(law), std::move(fit)};
}

GivenScheduleLaw schedule_law_of_fit(FitRecord fit, const std::map<std::string, double>& given) {
  const SumConvention sums = sum_convention_of(fit.equation);
  ScheduleLaw law(fit.law, sums, given);
  return {fit.law, law.is_of_sums() ? text_of(sums) : "", std::move(law), std::move(fit)};
}

void check_rates(const GivenScheduleLaw& given, const Schedule& schedule, const std::string& place) {
  const auto zero = std::find_if(schedule.begin() + 1, schedule.end(), [](double rate) { return !(rate > 0); });
  if (!given.law.is_of_sums() && zero != schedule.end()) {
    throw InputError(
        fmt::format("{}: its rate is 0 at step {}, of which the multi-power law has no power; give it a positive end",
                    place, zero - schedule.begin()));
  }
  if (std::all_of(schedule.begin(), schedule.end(), [](double rate) { return rate == 0; })) {
    throw InputError(fmt::format("{}: all its rates are 0, so nothing is trained; correct it", place));
  }
}

Schedule given_schedule(const std::string& word, std::optional<double> peak) {
  if (word.find(':') != std::string::npos && !is_table(word)) return schedule_in(word, 0);
  return has_rates(word) ? recorded_schedule({}, word) : schedule_of_factors(word, peak);
}

std::string schedule_file_text(const Schedule& schedule) {
  const double peak = *std::max_element(schedule.begin() + 1, schedule.end());
  std::string text = "step,factor\n";
  for (std::size_t step = 1; step < schedule.size(); ++step) {
    text += fmt::format("{},{}\n", step - 1, schedule[step] / peak);
  }
  return text;
}

}  // namespace bitlaw
