#include "fitting/predict/schedule_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <map>

#include "core/base/error.h"
#include "core/base/limits.h"

namespace bitlaw {
namespace {

constexpr int kDecays = 24, kRates = 6, kBits = 20;

struct Ends {
  int least, most;
};

class ScheduleSearch {
 public:
  ScheduleSearch(const ScheduleLaw& law, std::span<const double> natural, const ScheduleFrame& frame,
                 ScheduleShape shape)
      : law_(law), natural_(natural), frame_(frame), shape_(shape) {}

  BestSchedule find() {
    if (shape_ == ScheduleShape::Constant) return at(0, frame_.peak);
    if (frame_.decay) return best_rate(*frame_.decay);
    const auto [least, most] = ends();
    const double factor = static_cast<double>(most) / least;
    int best = least;
    double width = 0;
    for (int i = 0; i < kDecays; ++i) {
      const int decay = static_cast<int>(std::lround(least * std::pow(factor, i / (kDecays - 1.0))));
      if (loss_of(decay) < loss_of(best)) best = decay;
    }
    width = best * (std::pow(factor, 1 / (kDecays - 1.0)) - 1);  // to the next point of the grid
    for (int step = std::max(1, static_cast<int>(width / 2)); step > 0; step /= 2) {
      for (const int sign : {-1, 1}) {
        for (int next = best + sign * step; next >= least && next <= most && loss_of(next) < loss_of(best);
             next += sign * step) {
          best = next;
        }
      }
    }
    BestSchedule found = found_.at(best);
    found.decay_at_end = best == least || best == most;
    return found;
  }

 private:
  Ends ends() const {
    const int all = frame_.steps - frame_.warmup;
    return shape_ == ScheduleShape::Cosine ? Ends{std::max(1, all / 2), 4 * all} : Ends{1, all};
  }

  BestSchedule at(int decay, double end) const {
    BestSchedule tried{
        .spec = {.shape = shape_, .peak = frame_.peak, .end = end, .warmup = frame_.warmup, .steps = frame_.steps},
        .loss = 0};
    if (shape_ == ScheduleShape::Cosine) {
      tried.spec.length = frame_.warmup + decay;
    } else if (shape_ != ScheduleShape::Constant) {
      tried.spec.decay_from = frame_.steps - decay;
    }
    const double loss = law_.last_loss(natural_, make_schedule(tried.spec));
    tried.loss = std::isnan(loss) ? kInfinity : loss;
    return tried;
  }

  BestSchedule best_rate(int decay) const {
    if (frame_.end) return at(decay, *frame_.end);
    const auto rate = [&](int i) { return frame_.least + (frame_.peak - frame_.least) * i / (kRates - 1); };
    int best = 0;
    BestSchedule found = at(decay, rate(0));
    for (int i = 1; i < kRates; ++i) {
      const BestSchedule next = at(decay, rate(i));
      if (!(next.loss < found.loss)) continue;
      found = next;
      best = i;
    }
    const auto loss = [&](double end) { return at(decay, end).loss; };
    const auto [end, value] = boost::math::tools::brent_find_minima(loss, rate(std::max(best - 1, 0)),
                                                                    rate(std::min(best + 1, kRates - 1)), kBits);
    if (value < found.loss) found = at(decay, end);
    found.rate_at_end = found.spec.end == frame_.least || found.spec.end == frame_.peak;
    return found;
  }

  double loss_of(int decay) {
    const auto known = found_.find(decay);
    return (known != found_.end() ? known : found_.emplace(decay, best_rate(decay)).first)->second.loss;
  }

  const ScheduleLaw& law_;
  std::span<const double> natural_;
  const ScheduleFrame& frame_;
  ScheduleShape shape_;
  std::map<int, BestSchedule> found_;  ///< by decay
};

}  // namespace

int BestSchedule::decay() const {
  if (spec.shape == ScheduleShape::Constant) return 0;
  return spec.shape == ScheduleShape::Cosine ? spec.length - spec.warmup : spec.steps - spec.decay_from;
}

void check_frame(const ScheduleLaw& law, const ScheduleFrame& frame) {
  if (!(frame.peak > 0)) {
    throw InputError(
        "--peak: is not given, and every higher learning rate lowers the loss that the law predicts, without an end, "
        "so "
        "none is best; give the peak that is used");
  }
  if (frame.steps <= 0 || frame.warmup < 0 || frame.warmup >= frame.steps) {
    throw InputError(fmt::format(
        "--steps {}: with a warm-up of {} there is nothing left to schedule, and more steps always lower the predicted "
        "loss; give the steps that are trained",
        frame.steps, frame.warmup));
  }
  if (frame.least > 0 && frame.least < frame.peak) return;
  if (frame.least >= frame.peak) {
    throw InputError(
        fmt::format("--least {:g}: is no part of the peak below 1, so the rate cannot fall; write for example 0.01",
                    frame.least / frame.peak));
  }
  throw InputError(
      law.is_of_sums()
          ? "--least 0: steps with a learning rate of 0 train nothing, but the law says that they lower the loss, "
            "since "
            "its annealing area goes on growing, so the best schedule would end in them; give a positive part of the "
            "peak, such as 0.01"
          : "--least 0: the multi-power law has negative powers of the learning rate, so there is no loss at 0; give a "
            "positive part of the peak, such as 0.01");
}

BestSchedule best_schedule(const ScheduleLaw& law, std::span<const double> natural, const ScheduleFrame& frame,
                           ScheduleShape shape) {
  return ScheduleSearch(law, natural, frame, shape).find();
}

}  // namespace bitlaw
