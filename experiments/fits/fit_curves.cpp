#include "experiments/fits/fit_curves.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "core/record/table_rows.h"
#include "experiments/fits/curve_files.h"
#include "experiments/fits/fit_rows.h"
#include "experiments/fits/sum_convention.h"
#include "fitting/fit/fit.h"
#include "fitting/laws/multi_power.h"

namespace bitlaw {
namespace {

constexpr std::string_view kMultiPower = "multi_power";

bool has_input(const Law& law, std::string_view name) {
  return std::find(law.inputs().begin(), law.inputs().end(), name) != law.inputs().end();
}

/// What --set says of the sums; the rest are inputs of the law.
struct CurveSettings {
  std::vector<double> lambdas{0.999};
  Warmup warmup = Warmup::AsPeak;
  std::optional<std::size_t> transition;

  std::string text(double lambda) const { return text_of(SumConvention{.lambda = lambda, .warmup = warmup}); }
};

/// Takes what is not an input of the law from the request's --set.
CurveSettings take_settings(FitRequest& request, const Law& law) {
  CurveSettings settings;
  std::vector<std::string> others;
  for (const auto& [key, text] : settings_of(request)) {
    if (key == "lambda" && has_input(law, "S2")) {
      settings.lambdas = lambdas_in(text);
    } else if (key == "warmup" && has_input(law, "S1")) {
      settings.warmup = warmup_in(text);
    } else if (key == "transition" && has_input(law, "S1c")) {
      double step = 0;
      if (!parses_as_number(text, step) || !(step >= 0) || step != std::floor(step)) {
        refuse_setting(key, text, "is no step; write the last step on the first data");
      }
      settings.transition = static_cast<std::size_t>(step);
    } else {
      others.push_back(key + "=" + text);
    }
  }
  request.set = others;
  if (has_input(law, "S1c") && !settings.transition) {
    throw InputError(
        fmt::format("law '{}' is of training that changes its data, so it must be known when; write --set "
                    "transition=STEP",
                    law.name()));
  }
  return settings;
}

/// The law's inputs at a step of a curve.
class InputsOfCurve {
 public:
  InputsOfCurve(const Curve& curve, const CurveSettings& settings, double lambda) {
    if (settings.transition) {
      if (*settings.transition >= curve.schedule.size()) {
        refuse_setting(
            "transition", fmt::format("{}", *settings.transition),
            fmt::format("curve {} ends before, at step {}; correct it", curve.name, curve.schedule.size() - 1));
      }
      sums_ = continued_sums(curve.schedule, *settings.transition, lambda, settings.warmup);
    } else {
      sums_.first = learning_rate_sums(curve.schedule, lambda, settings.warmup);
    }
  }

  /// The input called `name`; nothing where it is none of the sums.
  std::optional<double> at(std::string_view name, std::size_t step) const {
    if (name == "S1") return sums_.first.s1[step];
    if (name == "S2") return sums_.first.s2[step];
    if (name == "S1c") return sums_.second.s1[step];
    if (name == "S2c") return sums_.second.s2[step];
    return std::nullopt;
  }

 private:
  ContinuedSums sums_;
};

void append_curve(Observations& observations, const Law& law, const Curve& curve, const CurveSettings& settings,
                  double lambda) {
  const InputsOfCurve sums(curve, settings, lambda);
  for (std::size_t i = 0; i < curve.loss.size(); ++i) {
    const auto step = curve.step[i];
    std::vector<double>& inputs = observations.inputs.emplace_back();
    std::size_t other = 0;
    for (const std::string_view input : law.inputs()) {
      if (input == "curve") {
        inputs.push_back(static_cast<double>(curve.number));
      } else if (input == "step") {
        inputs.push_back(static_cast<double>(step));
      } else if (const auto sum = sums.at(input, step)) {
        inputs.push_back(*sum);
      } else {
        inputs.push_back(curve.others[other++][i]);
      }
    }
    observations.ids.push_back(fmt::format("{} step {}", curve.name, step));
    observations.cluster.push_back(curve.name);
    observations.loss.push_back(curve.loss[i]);
    if (!curve.weight.empty()) observations.weights.push_back(curve.weight[i]);
  }
  observations.notes.insert(observations.notes.end(), curve.notes.begin(), curve.notes.end());
}

FitData data_of(const FitSpec& spec, const CurveSet& curves, const CurveSettings& settings, double lambda) {
  FitData data{.name = spec.name, .observations = {}, .held_out = {}};
  for (const Curve& curve : curves.fitted) append_curve(data.observations, law_of(spec), curve, settings, lambda);
  for (const Curve& curve : curves.held_out) append_curve(data.held_out, law_of(spec), curve, settings, lambda);
  return data;
}

std::shared_ptr<const Law> multi_power_of(const CurveSet& curves) {
  std::vector<Schedule> schedules;
  for (const auto* list : {&curves.fitted, &curves.held_out}) {
    for (const Curve& curve : *list) {
      for (std::size_t step = 1; step < curve.schedule.size(); ++step) {
        if (curve.schedule[step] > 0) continue;
        throw InputError(
            fmt::format("curve {}: its learning rate is 0 at step {}, of which the multi-power law has no "
                        "power; leave out its end or give the last positive rate",
                        curve.name, step));
      }
      schedules.push_back(curve.schedule);
    }
  }
  return multi_power_law(std::move(schedules));
}

/// Of several lambdas the one with the least objective.
double best_lambda(const FitSpec& spec, const CurveSet& curves, const CurveSettings& settings, int threads) {
  if (settings.lambdas.size() == 1) return settings.lambdas.front();
  FitOptions options = fit_options(spec, threads);
  options.bootstrap = 0;
  options.profile = options.jackknife = false;
  double best = settings.lambdas.front(), least = std::numeric_limits<double>::infinity();
  for (const double lambda : settings.lambdas) {
    const double cost =
        fit_law(law_of(spec), data_of(spec, curves, settings, lambda).observations, options, spec.name).cost;
    if (cost < least) {
      least = cost;
      best = lambda;
    }
  }
  return best;
}

}  // namespace

const Law& law_called(const std::string& name) {
  static const std::unique_ptr<Law> multi_power = multi_power_law({});
  return name == kMultiPower ? *multi_power : find_law(name);
}

bool asks_for_curves(const FitRequest& request) {
  const std::string name = request.law();
  if (name == kMultiPower) return true;
  if (name.empty() || !has_input(law_called(name), "S1")) return false;
  const auto items = items_of_map(request);
  return std::none_of(items.begin(), items.end(), [](const auto& item) { return item.first == "S1"; });
}

FitProblem curve_problem(const FitRequest& asked, int threads) {
  FitRequest request = asked;
  const bool multi_power = request.law() == kMultiPower;
  const std::shared_ptr<const Law> without_curves = multi_power ? multi_power_law({}) : nullptr;
  FitProblem problem{.spec = fit_spec_of(request, without_curves), .data = {}, .curves = true};
  const CurveSettings settings = take_settings(request, law_of(problem.spec));
  const CurveSet curves = read_curves(request, problem.spec);
  if (multi_power) problem.spec.written = multi_power_of(curves);
  const double lambda = best_lambda(problem.spec, curves, settings, threads);
  if (!multi_power) problem.settings = settings.text(lambda);
  problem.data.push_back(data_of(problem.spec, curves, settings, lambda));
  return problem;
}

}  // namespace bitlaw
