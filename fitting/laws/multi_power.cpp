#include "fitting/laws/multi_power.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/check.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

/// A change of the learning rate, or what stands for several.
struct Change {
  double drop;      ///< eta_{k-1} - eta_k
  double before;    ///< S1(k - 1), so that S_k(t) = S1(t) - before
  double log_rate;  ///< ln eta_k
};

struct Curve {
  std::vector<double> s1;                   ///< [T + 1]
  std::vector<Change> changes;              ///< [T] of step k = index + 1
  std::vector<std::vector<Change>> blocks;  ///< of `block` steps each
};

/// Two changes with the total drop and the first three moments of S of those given, all of one sign: Gauss's rule.
std::array<Change, 2> gather(const Change* first, const Change* last) {
  double weight = 0, mean = 0, mean_log = 0;
  for (const Change* c = first; c != last; ++c) weight += c->drop;
  std::array<Change, 2> none{Change{0, first->before, first->log_rate}, Change{0, first->before, first->log_rate}};
  if (weight == 0) return none;
  for (const Change* c = first; c != last; ++c) {
    mean += c->drop / weight * c->before;
    mean_log += c->drop / weight * c->log_rate;
  }
  double variance = 0, third = 0, covariance = 0;
  for (const Change* c = first; c != last; ++c) {
    const double share = c->drop / weight, away = c->before - mean;
    variance += share * away * away;
    third += share * away * away * away;
    covariance += share * away * (c->log_rate - mean_log);
  }
  if (!(variance > 0)) return {Change{weight, mean, mean_log}, Change{0, mean, mean_log}};
  const double skew = third / variance, root = std::sqrt(skew * skew / 4 + variance);
  const double left = skew / 2 - root, right = skew / 2 + root, slope = covariance / variance;
  const double share = -left / (right - left);  // of the right one: the mean stays
  return {Change{weight * (1 - share), mean + left, mean_log + slope * left},
          Change{weight * share, mean + right, mean_log + slope * right}};
}

/// Whether two points stand well for changes: all of one sign, at rates within a fifth of each other.
bool alike(const Change* first, const Change* last) {
  const auto [low, high] =
      std::minmax_element(first, last, [](const Change& a, const Change& b) { return a.log_rate < b.log_rate; });
  const bool falls = std::all_of(first, last, [](const Change& c) { return c.drop >= 0; });
  const bool rises = std::all_of(first, last, [](const Change& c) { return c.drop <= 0; });
  return (falls || rises) && high->log_rate - low->log_rate < 0.2;
}

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
                         {2.37474466, .65421216, .42878731, 523.42464371, 2.02462735, .59350493, .63472457}}}};
}

class MultiPowerLaw final : public Law {
 public:
  MultiPowerLaw(const std::vector<Schedule>& schedules, int block)
      : Law(info()), block_(static_cast<std::size_t>(block)) {
    BITLAW_CHECK(block >= 1, "block {}", block);
    for (const Schedule& schedule : schedules) curves_.push_back(curve_of(schedule));
  }

  double predict(std::span<const double> natural, std::span<const double> inputs) const override {
    std::array<double, 7> unused{};
    return evaluate(natural, features(inputs).data(), unused, false);
  }

  std::vector<double> features(std::span<const double> inputs) const override { return {inputs.begin(), inputs.end()}; }

  void predictions(std::span<const double> fitted, std::span<const double> features, std::span<double> loss,
                   std::span<double> jacobian) const override {
    const std::vector<double> natural = to_natural(fitted);
    std::array<double, 7> slopes{};
    for (std::size_t i = 0; i < loss.size(); ++i) {
      loss[i] = evaluate(natural, &features[2 * i], slopes, !jacobian.empty());
      for (std::size_t j = 0; j < 7 && !jacobian.empty(); ++j) {
        jacobian[7 * i + j] = slopes[j] * (parameters()[j].transform == Transform::Log ? natural[j] : 1);
      }
    }
  }

 private:
  static constexpr std::size_t kExact = 256;  // steps back that are summed one by one

  Curve curve_of(const Schedule& schedule) const {
    Curve curve;
    double sum = 0;
    for (std::size_t k = 0; k < schedule.size(); ++k) {
      if (k > 0) curve.changes.push_back({schedule[k - 1] - schedule[k], sum, std::log(schedule[k])});
      sum += schedule[k];
      curve.s1.push_back(sum);
    }
    for (std::size_t first = 0; block_ > 1 && first + block_ <= curve.changes.size(); first += block_) {
      const Change* begin = &curve.changes[first];
      if (alike(begin, begin + block_)) {
        const std::array<Change, 2> two = gather(begin, begin + block_);
        curve.blocks.emplace_back(two.begin(), two.end());
      } else {
        curve.blocks.emplace_back(begin, begin + block_);
      }
    }
    return curve;
  }

  /// L and, if asked for, its derivatives by the natural parameters.
  double evaluate(std::span<const double> natural, const double* inputs, std::array<double, 7>& slopes,
                  bool derivatives) const {
    const double l0 = natural[0], a = natural[1], alpha = natural[2], b = natural[3];
    const auto number = static_cast<std::size_t>(inputs[0]), step = static_cast<std::size_t>(inputs[1]);
    BITLAW_CHECK(number < curves_.size() && step < curves_[number].s1.size(), "curve {}, step {}", number, step);
    const Curve& curve = curves_[number];
    const double s1 = curve.s1[step], power = std::exp(-alpha * std::log(s1));
    Gain gain;
    std::size_t done = 0;
    if (step > kExact) {
      const std::size_t blocks = std::min((step - kExact) / block_, curve.blocks.size());
      for (std::size_t k = 0; k < blocks; ++k) {
        for (const Change& change : curve.blocks[k]) gain.add(change, s1, natural, derivatives);
      }
      done = blocks * block_;
    }
    for (std::size_t k = done; k < step; ++k) gain.add(curve.changes[k], s1, natural, derivatives);
    slopes = {1, power, -a * power * std::log(s1), -gain.value, -b * gain.by_c, -b * gain.by_beta, -b * gain.by_gamma};
    return l0 + a * power - b * gain.value;
  }

  /// The sum over changes, without B, and its derivatives.
  struct Gain {
    double value = 0, by_c = 0, by_beta = 0, by_gamma = 0;

    void add(const Change& change, double s1, std::span<const double> natural, bool derivatives) {
      if (change.drop == 0) return;
      const double c = natural[4], beta = natural[5], gamma = natural[6];
      const double x = std::exp(-gamma * change.log_rate) * (s1 - change.before);
      const double log_u = std::log1p(c * x), power = std::exp(-beta * log_u);  // u = 1 + C x, u^-beta
      value += change.drop * (1 - power);
      if (!derivatives) return;
      const double by_u = change.drop * beta * power / (1 + c * x);
      by_c += by_u * x;
      by_beta += change.drop * power * log_u;
      by_gamma -= by_u * c * x * change.log_rate;
    }
  };

  std::size_t block_;
  std::vector<Curve> curves_;
};

}  // namespace

std::unique_ptr<Law> multi_power_law(std::vector<Schedule> schedules, int block) {
  return std::make_unique<MultiPowerLaw>(schedules, block);
}

}  // namespace bitlaw
