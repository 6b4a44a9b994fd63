#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fitting/laws/law.h"
#include "fitting/laws/schedule.h"

namespace bitlaw {

/// How the sums of a law of the learning rate are formed.
struct SumConvention {
  double lambda = 0.999;
  Warmup warmup = Warmup::AsPeak;
};

/// A law at every step of one schedule.
struct LawAlongSchedule {
  std::shared_ptr<const Law> law;
  std::vector<std::vector<double>> inputs;  ///< [T + 1][inputs] of `law`
};

/// A law of the learning rate as a function of the schedule: one with the inputs S1 and S2 (annealing, annealing_n), or
/// multi_power, which forms sums of its own.
class ScheduleLaw {
 public:
  /// `given`: the law's inputs beside S1 and S2, by name, such as N. InputError for a law that takes no schedule or a
  /// change of data on the way, for an input that it does not have, and for one that is missing.
  ScheduleLaw(std::string_view law, const SumConvention& sums, const std::map<std::string, double>& given);

  /// Whether the loss follows from S1 and S2.
  bool is_of_sums() const { return law_ != nullptr; }

  /// multi_power's rates must be positive from step 1.
  LawAlongSchedule along(const Schedule& schedule) const;

  /// The loss [nat/token] after the last step.
  double last_loss(std::span<const double> natural, const Schedule& schedule) const;

  /// The same with its derivatives by every rate, slopes [T + 1], while the place and height of the peak are held.
  /// Those of the warm-up's rates are without meaning under Warmup::AsPeak.
  double last_loss(std::span<const double> natural, const Schedule& schedule, std::span<double> slopes) const;

 private:
  std::vector<double> inputs_of_sums(double s1, double s2) const;
  double slopes_of_sums(std::span<const double> natural, const Schedule& schedule, std::span<double> slopes) const;

  const Law* law_ = nullptr;  ///< null: multi_power
  SumConvention sums_;
  std::vector<double> inputs_;  ///< those given, in the law's order
  std::size_t s1_ = 0, s2_ = 0;
};

}  // namespace bitlaw
