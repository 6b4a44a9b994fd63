#include "experiments/launch/price.h"

#include <ceres/ceres.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace bitlaw {
namespace {

/// By WorkKind, rough: about what a core with AVX-512 does. Guessed, not measured; finished runs correct them.
constexpr RunWork kReferenceSeconds{1.25e-11, 3e-10, 1e-9, 2.5e-10, 5e-10, 2.5e-10, 2e-6};
constexpr double kNoise = 0.1;   // of log time
constexpr double kSpread = 1.0;  // of the log of a kind's factor beside the machine's
constexpr std::size_t kTenths = 10;

/// log predicted - log measured, over kNoise. factors [kWorkKinds + 1]: logs of the kinds' factors, then the machine's.
struct TimeResidual {
  TimedRun run;

  template <typename T>
  bool operator()(const T* factors, T* residual) const {
    using std::exp, std::log;
    T time(0.0);
    for (std::size_t k = 0; k < kWorkKinds; ++k) time += exp(factors[k]) * (run.work[k] * kReferenceSeconds[k]);
    residual[0] = (log(time) + factors[kWorkKinds] - std::log(run.seconds)) / kNoise;
    return true;
  }
};

struct PriorResidual {
  std::size_t kind;

  template <typename T>
  bool operator()(const T* factors, T* residual) const {
    residual[0] = factors[kind] / kSpread;
    return true;
  }
};

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

PriceModel::PriceModel() : seconds_per_unit_(kReferenceSeconds) {}

double PriceModel::seconds(const RunWork& work) const {
  double seconds = 0;
  for (std::size_t k = 0; k < kWorkKinds; ++k) seconds += work[k] * seconds_per_unit_[k];
  return seconds;
}

PriceModel PriceModel::fitted(std::span<const TimedRun> finished) {
  PriceModel model;
  model.runs_ = finished.size();
  if (finished.empty()) return model;
  std::array<double, kWorkKinds + 1> factors{};
  ceres::Problem problem;
  for (const TimedRun& run : finished) {
    problem.AddResidualBlock(new ceres::AutoDiffCostFunction<TimeResidual, 1, kWorkKinds + 1>(new TimeResidual{run}),
                             new ceres::HuberLoss(2.0), factors.data());
  }
  for (std::size_t kind = 0; kind < kWorkKinds; ++kind) {
    problem.AddResidualBlock(new ceres::AutoDiffCostFunction<PriorResidual, 1, kWorkKinds + 1>(new PriorResidual{kind}),
                             nullptr, factors.data());
  }
  ceres::Solver::Options options;
  options.logging_type = ceres::SILENT;
  ceres::Solver::Summary summary;
  ceres::Solve(options, &problem, &summary);
  for (std::size_t k = 0; k < kWorkKinds; ++k) {
    model.seconds_per_unit_[k] *= std::exp(factors[k] + factors[kWorkKinds]);
  }
  return model;
}

PriceModel PriceModel::calibrated(std::span<const TimedRun> finished) {
  PriceModel model = fitted(finished);
  if (finished.size() < kTenths) return model;
  std::vector<double> errors;
  for (std::size_t part = 0; part < kTenths; ++part) {
    std::vector<TimedRun> others;
    for (std::size_t i = 0; i < finished.size(); ++i) {
      if (i % kTenths != part) others.push_back(finished[i]);
    }
    const PriceModel from_others = fitted(others);
    for (std::size_t i = part; i < finished.size(); i += kTenths) {
      errors.push_back(std::abs(from_others.seconds(finished[i].work) / finished[i].seconds - 1));
    }
  }
  model.median_error_ = median(std::move(errors));
  return model;
}

}  // namespace bitlaw
