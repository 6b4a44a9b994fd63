#include "fitting/predict/schedule_law.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "fitting/laws/multi_power.h"
#include "fitting/predict/input_place.h"

namespace bitlaw {
namespace {

/// What a drop of the rate, n steps of which have passed with it, adds to S2 for each unit: (1 - lambda^n) / (1 -
/// lambda).
double gain_of_drop(double lambda, double steps) {
  if (lambda > 0) return -std::expm1(steps * std::log(lambda)) / (1 - lambda);
  return steps > 0 ? 1 : 0;
}

}  // namespace

ScheduleLaw::ScheduleLaw(std::string_view name, const SumConvention& sums, const std::map<std::string, double>& given)
    : sums_(sums) {
  std::vector<std::string_view> others;
  if (name != "multi_power") {
    law_ = &find_law(name);
    const auto& inputs = law_->inputs();
    inputs_.assign(inputs.size(), kNan);
    s1_ = input_place(*law_, "S1");
    s2_ = input_place(*law_, "S2");
    if (s1_ == inputs.size() || s2_ == inputs.size()) {
      throw InputError(fmt::format(
          "law '{}': does not take a learning rate, so no schedule is best; use annealing, annealing_n or multi_power",
          name));
    }
    if (input_place(*law_, "S1c") < inputs.size()) {
      throw InputError(fmt::format(
          "law '{}': is of training that changes its data on the way, which a schedule does not say; use annealing",
          name));
    }
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (k != s1_ && k != s2_) others.push_back(inputs[k]);
    }
  }
  for (const auto& [input, value] : given) {
    if (std::find(others.begin(), others.end(), input) == others.end() || !(value >= least_value(input))) {
      throw InputError(fmt::format(
          "{}={}: is no input that law '{}' can be given beside a schedule, so it would be "
          "ignored; {}",
          input, value, name, others.empty() ? "leave it out" : fmt::format("it takes {}", fmt::join(others, ", "))));
    }
    inputs_[input_place(*law_, input)] = value;
  }
  for (const std::string_view input : others) {
    if (!std::isnan(inputs_[input_place(*law_, input)])) continue;
    throw InputError(fmt::format("law '{}': {} is not given, so it has no loss; add {}=...", name, input, input));
  }
}

std::vector<double> ScheduleLaw::inputs_of_sums(double s1, double s2) const {
  std::vector<double> inputs = inputs_;
  inputs[s1_] = s1;
  inputs[s2_] = s2;
  return inputs;
}

LawAlongSchedule ScheduleLaw::along(const Schedule& schedule) const {
  LawAlongSchedule along;
  if (!is_of_sums()) {
    along.law = multi_power_law({schedule});
    for (std::size_t step = 0; step < schedule.size(); ++step) along.inputs.push_back({0, static_cast<double>(step)});
    return along;
  }
  along.law = std::shared_ptr<const Law>(std::shared_ptr<const Law>(), law_);  // registered: owned by nobody
  const LearningRateSums sums = learning_rate_sums(schedule, sums_.lambda, sums_.warmup);
  for (std::size_t step = 0; step < schedule.size(); ++step) {
    along.inputs.push_back(inputs_of_sums(sums.s1[step], sums.s2[step]));
  }
  return along;
}

double ScheduleLaw::last_loss(std::span<const double> natural, const Schedule& schedule) const {
  if (!is_of_sums()) return multi_power_last_loss(natural, schedule, {});
  const LearningRateSums sums = learning_rate_sums(schedule, sums_.lambda, sums_.warmup);
  return law_->predict(natural, inputs_of_sums(sums.s1.back(), sums.s2.back()));
}

double ScheduleLaw::last_loss(std::span<const double> natural, const Schedule& schedule,
                              std::span<double> slopes) const {
  BITLAW_CHECK(slopes.size() == schedule.size(), "slopes [{}], schedule [{}]", slopes.size(), schedule.size());
  return is_of_sums() ? slopes_of_sums(natural, schedule, slopes) : multi_power_last_loss(natural, schedule, slopes);
}

double ScheduleLaw::slopes_of_sums(std::span<const double> natural, const Schedule& schedule,
                                   std::span<double> slopes) const {
  const LearningRateSums sums = learning_rate_sums(schedule, sums_.lambda, sums_.warmup);
  const double s1 = sums.s1.back(), s2 = sums.s2.back();
  const auto loss = [&](double area, double gain) { return law_->predict(natural, inputs_of_sums(area, gain)); };
  // The law is smooth in both sums and its terms are apart: central differences of them are good to some 1e-10.
  const double h1 = 1e-5 * s1, h2 = 1e-5 * std::max(std::abs(s2), s1);
  const double by_s1 = (loss(s1 + h1, s2) - loss(s1 - h1, s2)) / (2 * h1);
  const double by_s2 = (loss(s1, s2 + h2) - loss(s1, s2 - h2)) / (2 * h2);
  const auto last = static_cast<double>(schedule.size());
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    // eta_i is the end of drop i, T + 1 - i steps of which have passed at T, and the start of drop i + 1. There is no
    // drop 0, nor one behind the end.
    const double passed = last - static_cast<double>(i);
    const double of_end = i > 0 ? gain_of_drop(sums_.lambda, passed) : 0,
                 of_start = gain_of_drop(sums_.lambda, passed - 1);
    slopes[i] = by_s1 + by_s2 * (of_start - of_end);
  }
  return loss(s1, s2);
}

}  // namespace bitlaw
