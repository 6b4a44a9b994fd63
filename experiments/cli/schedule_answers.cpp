#include "experiments/cli/schedule_answers.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/closest.h"
#include "core/base/cores.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/parallel_for.h"
#include "core/random/philox.h"
#include "fitting/laws/schedule_text.h"
#include "fitting/predict/schedule_bound.h"
#include "fitting/predict/schedule_free.h"
#include "fitting/uncertainty/bootstrap.h"
#include "fitting/uncertainty/normal_number.h"

namespace bitlaw {
namespace {

constexpr std::string_view kFree = "free";
constexpr std::size_t kDraws = 100;  // each is a search

/// At most kDraws coefficient sets: of the fit's own draws, or else normal ones by its covariance. Empty where it has
/// neither. A best decay is a whole number of steps, which has no derivative for the delta method.
std::vector<std::vector<double>> draws_of(const Law& law, const FitRecord& fit) {
  const std::size_t p = fit.parameters.size();
  std::vector<std::vector<double>> draws;
  for (std::size_t at = 0; at + p <= fit.draws.size() && draws.size() < kDraws; at += p) {
    draws.emplace_back(fit.draws.begin() + static_cast<std::ptrdiff_t>(at),
                       fit.draws.begin() + static_cast<std::ptrdiff_t>(at + p));
  }
  if (!draws.empty() || fit.covariance.size() != p * p || !(fit.degrees_of_freedom > 0)) return draws;
  const auto n = static_cast<Eigen::Index>(p);
  Eigen::MatrixXd covariance(n, n);
  const std::vector<double> natural = fit.estimates();
  for (std::size_t j = 0; j < p; ++j) {
    for (std::size_t k = 0; k < p; ++k) {
      const auto slope = [&](std::size_t i) {
        return law.parameters()[i].transform == Transform::Log ? 1 / natural[i] : 1.0;
      };
      const double value = fit.covariance[j * p + k] * slope(j) * slope(k);
      covariance(static_cast<Eigen::Index>(j), static_cast<Eigen::Index>(k)) = std::isfinite(value) ? value : 0;
    }
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> axes(covariance);
  const Eigen::MatrixXd root = axes.eigenvectors() * axes.eigenvalues().cwiseMax(0).cwiseSqrt().asDiagonal();
  const std::vector<double> middle = law.to_fitted(natural);
  const RandomStream stream{};
  for (std::size_t draw = 0; draw < kDraws; ++draw) {
    Eigen::VectorXd normal(n);
    for (Eigen::Index j = 0; j < n; ++j) normal(j) = normal_number(stream, draw * p + static_cast<std::size_t>(j));
    const Eigen::VectorXd shift = root * normal;
    std::vector<double> fitted = middle;
    for (std::size_t j = 0; j < p; ++j) fitted[j] += shift(static_cast<Eigen::Index>(j));
    draws.push_back(law.to_natural(fitted));
  }
  return draws;
}

Band middle_of(const std::vector<BestSchedule>& found, double level, double (*value)(const BestSchedule&)) {
  std::vector<double> values;
  for (const BestSchedule& best : found) values.push_back(value(best));
  const auto [low, high] = percentile_interval(std::move(values), level);
  return {low, high};
}

class ScheduleAnswerer {
 public:
  ScheduleAnswerer(const GivenScheduleLaw& given, const ScheduleFrame& frame)
      : given_(given), natural_(given.fit.estimates()), frame_(frame) {
    const Schedule constant = make_schedule({.peak = frame.peak, .warmup = frame.warmup, .steps = frame.steps});
    bound_of_constant_ = bound_of(constant);
  }

  void family(const std::string& name, ScheduleShape shape) {
    const BestSchedule best = best_schedule(given_.law, natural_, frame_, shape);
    ScheduleAnswer answer = described(name, make_schedule(best.spec));
    answer.text = text_of(best.spec);
    answer.decay.value = best.decay();
    answer.end.value = shape == ScheduleShape::Constant ? frame_.peak : best.spec.end;
    if (best.decay_at_end) answer.notes.emplace_back("its decay is at an end of what was searched");
    if (best.rate_at_end) answer.notes.emplace_back("its last rate is at an end of what was searched");
    best_[name] = best;
    add(std::move(answer));
  }

  void free() {
    const BestSchedule start = best_.empty() ? best_schedule(given_.law, natural_, frame_, ScheduleShape::Linear)
                                             : best_.at(answers_.front().shape);
    const FreeSchedule found = free_schedule(given_.law, natural_, frame_, make_schedule(start.spec));
    ScheduleAnswer answer = described(std::string(kFree), found.schedule);
    answer.decay.value = std::max(0, frame_.steps - found.decay_from(frame_.peak) + 1);
    answer.end.value = found.schedule.back();
    if (given_.law.is_of_sums()) {
      answer.notes.push_back(fmt::format(
          "no schedule that does not rise is better by more than {:.1g}; this law's best is always one drop, "
          "since what a drop gains is concave in the time since, so it says more of the law than of training",
          found.gap));
    } else if (!found.converged) {
      answer.notes.emplace_back("the search ended before it converged, so a better one may exist");
    }
    add(std::move(answer));
  }

  /// The intervals of the best that has a shape.
  void intervals() {
    const auto shaped = std::find_if(answers_.begin(), answers_.end(), [](const auto& a) { return a.shape != kFree; });
    if (shaped == answers_.end()) return;
    const ScheduleShape shape = best_.at(shaped->shape).spec.shape;
    const auto draws = draws_of(*given_.law.along({1.0, 1.0}).law, given_.fit);
    if (draws.empty() || shape == ScheduleShape::Constant) return;
    std::vector<BestSchedule> found(draws.size());
    parallel_for(draws.size(), all_cores(),
                 [&](std::size_t i) { found[i] = best_schedule(given_.law, draws[i], frame_, shape); });
    shaped->decay.interval =
        middle_of(found, given_.fit.level, [](const BestSchedule& best) { return static_cast<double>(best.decay()); });
    shaped->end.interval = middle_of(found, given_.fit.level, [](const BestSchedule& best) { return best.spec.end; });
    shaped->decay.from_draws = shaped->end.from_draws = true;
  }

  std::vector<ScheduleAnswer> take() { return std::move(answers_); }

 private:
  double bound_of(const Schedule& schedule) const { return schedule_bound(std::span(schedule).subspan(1)).at_best(); }

  ScheduleAnswer described(const std::string& name, const Schedule& schedule) const {
    const LawAlongSchedule along = given_.law.along(schedule);
    const Band none{kNan, kNan};
    ScheduleAnswer answer{
        .shape = name,
        .text = "",
        .schedule = schedule,
        .decay = {.value = 0, .interval = none},
        .end = {.value = 0, .interval = none},
        .loss = predict_with_bands(*along.law, given_.fit, along.inputs.back(), residual_of_fit(given_.fit)),
        .bound = bound_of(schedule) / bound_of_constant_};
    if (answer.loss.value > 0) return answer;
    throw InputError(fmt::format(
        "the best {} schedule has a predicted loss of {:.3g}: with a peak of {:g} the law leaves what it was "
        "fitted to, where a high rate and a deep decay lower the loss without an end; give a peak that is used",
        name, answer.loss.value, frame_.peak));
  }

  void add(ScheduleAnswer answer) {
    const auto place = std::find_if(answers_.begin(), answers_.end(),
                                    [&](const ScheduleAnswer& a) { return a.loss.value > answer.loss.value; });
    answers_.insert(place, std::move(answer));
  }

  const GivenScheduleLaw& given_;
  std::vector<double> natural_;
  const ScheduleFrame& frame_;
  double bound_of_constant_ = 1;
  std::vector<ScheduleAnswer> answers_;
  std::map<std::string, BestSchedule> best_;  ///< by shape
};

}  // namespace

std::vector<std::string> schedule_shapes() {
  std::vector<std::string> names;
  for (const auto& row : kScheduleShapeNames) names.emplace_back(row.name);
  names.emplace_back(kFree);
  return names;
}

std::vector<ScheduleAnswer> answer_schedules(const GivenScheduleLaw& given, const ScheduleQuestions& questions) {
  check_frame(given.law, questions.frame);
  const std::vector<std::string> known = schedule_shapes();
  const bool held = questions.frame.decay || questions.frame.end;
  std::vector<std::string> shapes = questions.shapes;
  if (shapes.empty()) {
    shapes = known;
    if (held) shapes.pop_back();
  }
  for (const std::string& shape : shapes) {
    if (std::find(known.begin(), known.end(), shape) == known.end()) {
      throw InputError(fmt::format("--shape {}: is no shape of a schedule, {}", shape, remedy(shape, known)));
    }
    if (shape == kFree && held) {
      throw InputError(
          "--shape free: is the schedule with nothing held but the peak and the least rate, so --decay and --final "
          "have "
          "no place in it; leave them out");
    }
  }
  ScheduleAnswerer answerer(given, questions.frame);
  for (const auto& [name, shape] : kScheduleShapeNames) {
    if (std::find(shapes.begin(), shapes.end(), name) != shapes.end()) answerer.family(std::string(name), shape);
  }
  if (std::find(shapes.begin(), shapes.end(), kFree) != shapes.end()) answerer.free();
  answerer.intervals();
  return answerer.take();
}

}  // namespace bitlaw
