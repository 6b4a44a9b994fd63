#include "fitting/laws/multi_power.h"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/check.h"
#include "fitting/laws/rate_changes.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

LawInfo info() {
  return {.name = "multi_power",
          .equation = "L = L_0 + A S1^-alpha - B sum_k (eta_(k-1) - eta_k) (1 - (1 + C eta_k^-gamma S_k)^-beta)",
          .source = "Luo et al. 2025, arXiv:2503.12811, Eq. 2",
          .parameters = {linear(coefficient("L_0", "nat", exp_grid({0.5, 1}), 1e-6, 1e3)),
                         linear(coefficient("A", "nat", exp_grid({-0.7}), 1e-9, 1e6)), exponent("alpha", {0.4, 0.55}),
                         linear(coefficient("B", "nat", {500}, 1e-6, 1e9)), coefficient("C", "1", {0.1, 2}, 1e-6, 1e6),
                         exponent("beta", {0.15, 0.5}, 1e-3), exponent("gamma", {0.6, 0.9}, -3)},
          .inputs = {"curve", "step"},
          .published = {{"25M",
                         "Luo et al. 2025, arXiv:2503.12811, README of the authors' code",
                         {3.04045406, .52468604, .50786857, 363.78751622, 2.06560812, .58279013, .64142257}},
                        {"100M",
                         "Luo et al. 2025, arXiv:2503.12811, README of the authors' code",
                         {2.6514477, .60115152, .45295811, 437.9464276, 2.13245612, .59785199, .65523644}},
                        {"400M",
                         "Luo et al. 2025, arXiv:2503.12811, README of the authors' code",
                         {2.37474466, .65421216, .42878731, 523.42464371, 2.02462735, .59350493, .63472457}}},
          .keep = 2,
          .cheap_derivatives = true};
}

class MultiPowerLaw final : public Law {
 public:
  MultiPowerLaw(const std::vector<Schedule>& schedules, RateSum sum) : Law(info()) {
    for (const Schedule& schedule : schedules) curves_.emplace_back(schedule, sum == RateSum::Exact);
  }

  double predict(std::span<const double> natural, std::span<const double> inputs) const override {
    std::array<double, 7> unused{};
    RatePowers powers(curves_.size());
    Terms terms;
    return evaluate(natural, inputs.data(), powers, terms, unused, false);
  }

  std::vector<double> features(std::span<const double> inputs) const override { return {inputs.begin(), inputs.end()}; }

  void predictions(std::span<const double> fitted, std::span<const double> features, std::span<double> loss,
                   std::span<double> jacobian) const override {
    const std::vector<double> natural = to_natural(fitted);
    std::array<double, 7> slopes{};
    RatePowers powers(curves_.size());
    Terms terms;
    for (std::size_t i = 0; i < loss.size(); ++i) {
      loss[i] = evaluate(natural, &features[2 * i], powers, terms, slopes, !jacobian.empty());
      for (std::size_t j = 0; j < 7 && !jacobian.empty(); ++j) {
        jacobian[7 * i + j] = slopes[j] * (parameters()[j].transform == Transform::Log ? natural[j] : 1);
      }
    }
  }

 private:
  /// [curve][point] eta^-gamma, which the observations of a curve share; NaN: not yet needed.
  using RatePowers = std::vector<std::vector<double>>;

  /// What the sums of one observation after another are formed in.
  struct Terms {
    Eigen::ArrayXd drop, log_rate, x, log_u, power;
    Eigen::Index count = 0;

    void make_room(Eigen::Index more) {
      for (Eigen::ArrayXd* array : {&drop, &log_rate, &x}) {
        if (array->size() < count + more) array->conservativeResize(2 * (count + more));
      }
    }
  };

  /// L and, if asked for, its derivatives by the natural parameters.
  double evaluate(std::span<const double> natural, const double* inputs, RatePowers& powers, Terms& terms,
                  std::array<double, 7>& slopes, bool derivatives) const {
    const double l0 = natural[0], a = natural[1], alpha = natural[2], b = natural[3], c = natural[4], beta = natural[5];
    const auto number = static_cast<std::size_t>(inputs[0]), step = static_cast<std::size_t>(inputs[1]);
    BITLAW_CHECK(number < curves_.size() && step < curves_[number].steps(), "curve {}, step {}", number, step);
    const double s1 = curves_[number].s1(step), log_s1 = std::log(s1), power = std::exp(-alpha * log_s1);
    collect(curves_[number], step, natural[6], powers[number], terms);
    const auto drop = terms.drop.head(terms.count);
    const auto x = terms.x.head(terms.count);  // eta^-gamma S
    terms.log_u = (1 + c * x).log();           // u = 1 + C x
    terms.power = (-beta * terms.log_u).exp();
    const double gain = (drop * (1 - terms.power)).sum();
    if (derivatives) {
      const Eigen::ArrayXd by_x = beta * drop * terms.power / (1 + c * x) * x;
      slopes = {1,
                power,
                -a * power * log_s1,
                -gain,
                -b * by_x.sum(),
                -b * (drop * terms.power * terms.log_u).sum(),
                b * c * (by_x * terms.log_rate.head(terms.count)).sum()};
    }
    return l0 + a * power - b * gain;
  }

  static void collect(const RateChanges& curve, std::size_t step, double gamma, std::vector<double>& rate_power,
                      Terms& terms) {
    if (rate_power.empty()) rate_power.assign(curve.points().size(), std::numeric_limits<double>::quiet_NaN());
    const double s1 = curve.s1(step);
    terms.count = 0;
    curve.for_each_range(step, [&](std::size_t first, std::size_t last) {
      terms.make_room(static_cast<Eigen::Index>(last - first));
      for (std::size_t k = first; k < last; ++k, ++terms.count) {
        const RateChange& change = curve.points()[k];
        if (std::isnan(rate_power[k])) rate_power[k] = std::exp(-gamma * change.log_rate);
        terms.drop(terms.count) = change.drop;
        terms.log_rate(terms.count) = change.log_rate;
        terms.x(terms.count) = rate_power[k] * (s1 - change.before);
      }
    });
  }

  std::vector<RateChanges> curves_;
};

}  // namespace

std::unique_ptr<Law> multi_power_law(const std::vector<Schedule>& schedules, RateSum sum) {
  return std::make_unique<MultiPowerLaw>(schedules, sum);
}

double multi_power_last_loss(std::span<const double> natural, const Schedule& schedule, std::span<double> slopes) {
  const double alpha = natural[2], b = natural[3], c = natural[4], beta = natural[5], gamma = natural[6];
  const std::size_t last = schedule.size() - 1;
  const double s1 = std::accumulate(schedule.begin(), schedule.end(), 0.0), power = natural[1] * std::pow(s1, -alpha);
  const bool derivatives = !slopes.empty();
  std::vector<double> by_area(derivatives ? schedule.size() : 0);  // of gains, by S_k: it reaches eta_k to eta_last
  double gain = 0, area = 0;                                       // S_k
  if (derivatives) std::fill(slopes.begin(), slopes.end(), 0.0);   // the first loop leaves those of the sum of gains
  for (std::size_t k = last; k > 0; --k) {
    area += schedule[k];
    const double drop = schedule[k - 1] - schedule[k];
    if (drop == 0 && !derivatives) continue;
    const double rate_power = std::pow(schedule[k], -gamma), x = rate_power * area, u = 1 + c * x;
    const double left = std::pow(u, -beta), g = 1 - left;
    gain += drop * g;
    if (!derivatives) continue;
    const double by_x = drop * beta * c * left / u;
    slopes[k - 1] += g;
    slopes[k] -= g + by_x * x * gamma / schedule[k];
    by_area[k] = by_x * rate_power;
  }
  double reached = 0;
  for (std::size_t k = 0; k < slopes.size(); ++k) {
    reached += by_area[k];
    slopes[k] = -alpha * power / s1 - b * (slopes[k] + reached);
  }
  return natural[0] + power - b * gain;
}

}  // namespace bitlaw
