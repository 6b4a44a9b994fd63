#include "fitting/predict/schedule_free.h"

#include <ceres/ceres.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace bitlaw {
namespace {

/// Of equal drops in the first start and in the later ones: a drop of 0 has no slope and would stay.
constexpr double kFirstEqual = 0.5, kLaterEqual = 1e-3;
constexpr int kFewestBlocks = 16;  // of the first, coarsest level; the next has four times as many

/// The loss of a schedule behind a warm-up that is kept, as a function of x [n]: block j of `size` steps falls evenly
/// by (peak - least) x_j^2 / sum x^2 altogether; the last x stands for what does not fall.
class DropProblem final : public ceres::FirstOrderFunction {
 public:
  DropProblem(const ScheduleLaw& law, std::span<const double> natural, const ScheduleFrame& frame,
              const Schedule& start, int size)
      : law_(law),
        natural_(natural),
        schedule_(start),
        first_(std::max(frame.warmup, 1)),
        size_(size),
        peak_(frame.peak),
        range_(frame.peak - frame.least) {}

  int NumParameters() const override { return (steps() + size_ - 1) / size_ + 1; }

  /// The start's drops, with a share of equal ones mixed in.
  std::vector<double> start(double equal) const {
    const int n = NumParameters();
    std::vector<double> share(static_cast<std::size_t>(n), equal / n);
    double rate = peak_;
    for (int i = 0; i < steps(); ++i) {
      const double next = std::min(schedule_[place(i)], rate);
      share[block(i)] += (1 - equal) * (rate - next) / range_;
      rate = next;
    }
    share.back() += (1 - equal) * (rate - (peak_ - range_)) / range_;
    for (double& x : share) x = std::sqrt(x);
    return share;
  }

  Schedule schedule_of(const double* x) const {
    Schedule schedule = schedule_;
    const double per_square = range_ / squares(x);
    double rate = peak_;
    for (int i = 0; i < steps(); ++i) {
      rate -= per_square * x[block(i)] * x[block(i)] / length(block(i));
      schedule[place(i)] = std::max(rate, peak_ - range_);  // exact but for rounding
    }
    return schedule;
  }

  bool Evaluate(const double* x, double* cost, double* gradient) const override {
    if (gradient == nullptr) {
      *cost = law_.last_loss(natural_, schedule_of(x));
      return std::isfinite(*cost);
    }
    const std::vector<double> slope = slopes(x, *cost);
    const double sum = squares(x);
    double mean = 0;
    for (std::size_t j = 0; j < slope.size(); ++j) mean += x[j] * x[j] / sum * slope[j];
    for (std::size_t j = 0; j < slope.size(); ++j) gradient[j] = 2 * x[j] / sum * range_ * (slope[j] - mean);
    return std::isfinite(*cost);
  }

  double gap(const double* x) const {
    double cost = 0;
    const std::vector<double> slope = slopes(x, cost);
    const double sum = squares(x), least = *std::min_element(slope.begin(), slope.end());
    double gap = 0;
    for (std::size_t j = 0; j < slope.size(); ++j) gap += x[j] * x[j] / sum * range_ * (slope[j] - least);
    return gap;
  }

 private:
  int steps() const { return static_cast<int>(schedule_.size()) - first_; }
  std::size_t place(int step) const { return static_cast<std::size_t>(first_ + step); }
  std::size_t block(int step) const { return static_cast<std::size_t>(step / size_); }
  int length(std::size_t block) const { return std::min(size_, steps() - static_cast<int>(block) * size_); }
  double squares(const double* x) const { return std::inner_product(x, x + NumParameters(), x, 0.0); }

  /// dL / d drop of a block [n]; the loss.
  std::vector<double> slopes(const double* x, double& loss) const {
    const Schedule schedule = schedule_of(x);
    std::vector<double> by_rate(schedule.size()), slope(static_cast<std::size_t>(NumParameters()));
    loss = law_.last_loss(natural_, schedule, by_rate);
    double behind = 0;  // a drop lowers every rate from its step on
    for (int i = steps() - 1; i >= 0; --i) {
      behind += by_rate[place(i)];
      slope[block(i)] -= behind / length(block(i));
    }
    return slope;
  }

  const ScheduleLaw& law_;
  std::span<const double> natural_;
  Schedule schedule_;
  int first_, size_;
  double peak_, range_;
};

ceres::GradientProblemSolver::Options options() {
  ceres::GradientProblemSolver::Options options;
  options.line_search_direction_type = ceres::LBFGS;
  options.max_num_iterations = 1000;
  options.function_tolerance = 1e-11;
  options.gradient_tolerance = 1e-12;
  options.logging_type = ceres::SILENT;
  return options;
}

/// The best schedule whose blocks of `size` steps fall evenly.
FreeSchedule best_of_blocks(const ScheduleLaw& law, std::span<const double> natural, const ScheduleFrame& frame,
                            const Schedule& start, int size, double equal) {
  auto* drops = new DropProblem(law, natural, frame, start, size);  // the problem's
  const ceres::GradientProblem problem(drops);
  std::vector<double> x = drops->start(equal);
  ceres::GradientProblemSolver::Summary summary;
  ceres::Solve(options(), problem, x.data(), &summary);
  FreeSchedule found{.schedule = drops->schedule_of(x.data()), .loss = summary.final_cost};
  found.gap = drops->gap(x.data());
  found.converged = summary.termination_type == ceres::CONVERGENCE;
  return found;
}

}  // namespace

int FreeSchedule::decay_from(double peak) const {
  const auto first = std::max_element(schedule.begin(), schedule.end());
  return static_cast<int>(std::find_if(first, schedule.end(), [&](double rate) { return rate < 0.99 * peak; }) -
                          schedule.begin());
}

FreeSchedule free_schedule(const ScheduleLaw& law, std::span<const double> natural, const ScheduleFrame& frame,
                           const Schedule& start) {
  const int steps = static_cast<int>(start.size()) - std::max(frame.warmup, 1);
  int size = 1;
  while (steps / (4 * size) >= kFewestBlocks) size *= 4;
  FreeSchedule found{.schedule = start};
  for (double equal = kFirstEqual; size > 0; size /= 4, equal = kLaterEqual) {
    found = best_of_blocks(law, natural, frame, found.schedule, size, equal);
  }
  const double loss = law.last_loss(natural, start);
  if (found.loss <= loss) return found;
  // The gap is from the least loss, if the law is convex, and so of the start by as much less as that is lower.
  return {.schedule = start, .loss = loss, .gap = found.gap - (found.loss - loss), .converged = found.converged};
}

}  // namespace bitlaw
