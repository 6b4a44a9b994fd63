// Laws of training itself: the learning rate's path and the batch. L [nat/token].
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

constexpr std::string_view kTissue = "Tissue et al. 2024, arXiv:2408.11029, Eq. 1";

// S1 [sum of learning rates] and S2 [sum of their decay with momentum] come from a schedule: see schedule.h.
LawParameter floor_of_loss() { return linear(coefficient("L_0", "nat", exp_grid({-1, 0, 0.5, 1}), 1e-6, 1e3)); }
LawParameter area_coefficient() { return linear(coefficient("A", "nat", exp_grid({-2, -0.7, 1}))); }
LawParameter area_exponent() { return exponent("alpha", {0.2, 0.5, 0.8}); }

std::vector<DesignNeed> schedule_needs() {
  return {{.input = "S1",
           .distinct = 3,
           .parameters = "L_0, A, alpha",
           .consequence = "a level, a coefficient and an exponent are three unknowns",
           .cure = "record the loss at more steps"},
          {.input = "S2",
           .distinct = 2,
           .parameters = "C",
           .consequence = "the gain of a decaying learning rate does not show",
           .cure = "add one run whose learning rate decays"}};
}

/// L = L_0 + A S1^-alpha - C S2.  C belongs to the momentum lambda that S2 was formed with: C / (1 - lambda) is nearly
/// constant.
struct Annealing {
  static constexpr int kParameters = 4, kInputs = 2;
  static LawInfo info() {
    const auto at = [](std::string_view name, std::string_view citation, std::vector<double> values) {
      return PublishedFit{name, citation, std::move(values)};
    };
    constexpr std::string_view kContinual = "Wang et al. 2025, arXiv:2505.07796, App.";
    return {
        .name = "annealing",
        .equation = "L = L_0 + A S1^-alpha - C S2",
        .source = kTissue,
        .parameters = {floor_of_loss(), area_coefficient(), area_exponent(),
                       linear(coefficient("C", "nat", exp_grid({-2, 0, 3}), 1e-9, 1e6))},
        .inputs = {"S1", "S2"},
        .needs = schedule_needs(),
        .published = {at("106M_fineweb", kContinual, {3.057, 0.490, 0.497, 0.299}),
                      at("594M_fineweb", kContinual, {2.688, 0.526, 0.483, 0.437}),
                      at("1720M_fineweb", kContinual, {2.496, 0.569, 0.474, 0.485}),
                      at("demo", "the authors' fitting script on its 40 points", {2.6278, 0.42967, 0.54985, 0.41077})}};
  }

  /// (ln S1, S2)
  static std::array<double, 2> features(const double* inputs) { return {std::log(inputs[0]), inputs[1]}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return natural[0] + natural[1] * exp(-natural[2] * features[0]) - natural[3] * features[1];
  }
};

/// L = L_0 + A S1^-alpha - C S2 N^gamma + F N^-gamma_3, N in millions of non-embedding parameters inside the formula
/// and in parameters as input.  Wang et al. 2025, arXiv:2505.07796, Eq. 7.
struct AnnealingN {
  static constexpr int kParameters = 7, kInputs = 3;
  static LawInfo info() {
    return {
        .name = "annealing_n",
        .equation = "L = L_0 + A S1^-alpha - C S2 (N/1e6)^gamma + F (N/1e6)^-gamma_3",
        .source = "Wang et al. 2025, arXiv:2505.07796, Eq. 7",
        .parameters = {floor_of_loss(), area_coefficient(), area_exponent(),
                       linear(coefficient("C", "nat", exp_grid({-3, 0}), 1e-9, 1e6)), exponent("gamma", {0.1, 0.3}, -2),
                       linear(coefficient("F", "nat", exp_grid({0, 2}))), exponent("gamma_3", {0.2, 0.5})},
        .inputs = {"S1", "S2", "N"},
        .needs = {schedule_needs()[0], schedule_needs()[1],
                  DesignNeed{.input = "N",
                             .distinct = 3,
                             .parameters = "L_0, F, gamma_3",
                             .consequence = "a level, a coefficient and an exponent are three unknowns",
                             .cure = "add a smaller model"}},
        .published = {{"fineweb",
                       "Wang et al. 2025, arXiv:2505.07796, App. E, first phase of the joint fit on FineWeb",
                       {1.829, 0.504, 0.537, 0.090, 0.235, 3.072, 0.195}}}};
  }

  /// (ln S1, S2, ln(N / 10^6))
  static std::array<double, 3> features(const double* inputs) {
    return {std::log(inputs[0]), inputs[1], std::log(inputs[2] / 1e6)};
  }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return natural[0] + natural[1] * exp(-natural[2] * features[0]) -
           natural[3] * features[1] * exp(natural[4] * features[2]) + natural[5] * exp(-natural[6] * features[2]);
  }
};

/// L = L_0 + A (S1 + S1c)^-alpha - C_1 S2 - C_2 S2c + B (1 - (1 + E S1c)^-beta): continued training, whose own sums
/// carry a c. B > 0 for the loss on the first data, B < 0 for that on the new.  Wang et al. 2025, arXiv:2505.07796,
/// Eq. 4.
struct Continual {
  static constexpr int kParameters = 8, kInputs = 4;
  static LawInfo info() {
    return {.name = "continual",
            .equation = "L = L_0 + A (S1+S1c)^-alpha - C_1 S2 - C_2 S2c + B (1 - (1 + E S1c)^-beta)",
            .source = "Wang et al. 2025, arXiv:2505.07796, Eq. 4",
            .parameters = {floor_of_loss(), area_coefficient(), area_exponent(),
                           linear(coefficient("C_1", "nat", {0.3}, 1e-9, 1e6)),
                           linear(coefficient("C_2", "nat", {0.3}, 1e-9, 1e6)),
                           LawParameter{"B", "nat", Transform::Identity, -1e3, 1e3, {-0.5, 0.5}, true},
                           coefficient("E", "1", {10, 1000}), exponent("beta", {0.2})},
            .inputs = {"S1", "S1c", "S2", "S2c"},
            .needs = schedule_needs(),
            .published = {{"fineweb_to_pile_source",
                           "Wang et al. 2025, arXiv:2505.07796, 106M, loss on FineWeb",
                           {3.057, 0.490, 0.497, 0.299, 0.298, 0.366, 28, 0.189}},
                          {"fineweb_to_pile_target",
                           "Wang et al. 2025, arXiv:2505.07796, 106M, loss on Knowledge-Pile",
                           {3.024, 0.412, 0.677, 0.278, 0.324, -0.666, 5662, 0.146}}}};
  }

  /// (ln(S1 + S1c), S1c, S2, S2c)
  static std::array<double, 4> features(const double* inputs) {
    return {std::log(inputs[0] + inputs[1]), inputs[1], inputs[2], inputs[3]};
  }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    const T shift = natural[5] * (1.0 - exp(-natural[7] * log(1.0 + natural[6] * features[1])));
    return natural[0] + natural[1] * exp(-natural[2] * features[0]) - natural[3] * features[2] -
           natural[4] * features[3] + shift;
  }
};

/// B_crit(L) = B_* / L^(1/alpha_B) [tokens]: the observed number is the critical batch, the input a loss.  Kaplan et
/// al. 2020, arXiv:2001.08361, Eq. 1.4.
struct CriticalBatch {
  static constexpr int kParameters = 2, kInputs = 1;
  static LawInfo info() {
    return {.name = "critical_batch",
            .equation = "B_crit = B_* / L^(1/alpha_B)",
            .source = "Kaplan et al. 2020, arXiv:2001.08361, Eq. 1.4",
            .parameters = {linear(coefficient("B_*", "token", exp_grid({10, 15, 20}))),
                           exponent("alpha_B", {0.1, 0.2, 0.5}, 1e-2)},
            .inputs = {"L"},
            .needs = {{.input = "L",
                       .distinct = 2,
                       .parameters = "B_*, alpha_B",
                       .consequence = "a coefficient and an exponent are two unknowns",
                       .cure = "measure the critical batch at one more, higher loss"}},
            .published = {{"kaplan", "Kaplan et al. 2020, arXiv:2001.08361, Eq. 1.4", {2e8, 0.21}}}};
  }

  /// (ln L)
  static std::array<double, 1> features(const double* inputs) { return {std::log(inputs[0])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return natural[0] * exp(-features[0] / natural[1]);
  }
};

/// S(B) = S_min (1 + B_crit / B): steps to one loss at a batch B; so (S/S_min - 1)(E/E_min - 1) = 1 with E = B S and
/// E_min = B_crit S_min.  McCandlish et al. 2018, arXiv:1812.06162, Eq. 2.11.
struct BatchSteps {
  static constexpr int kParameters = 2, kInputs = 1;
  static LawInfo info() {
    return {.name = "batch_steps",
            .equation = "S = S_min (1 + B_crit/batch)",
            .source = "McCandlish et al. 2018, arXiv:1812.06162, Eq. 2.11",
            .parameters = {linear(coefficient("S_min", "step", exp_grid({3, 7, 11}))),
                           coefficient("B_crit", "as the batch", exp_grid({3, 8, 14}))},
            .inputs = {"batch"},
            .needs = {{.input = "batch",
                       .distinct = 2,
                       .parameters = "S_min, B_crit",
                       .consequence = "the two asymptotes are not told apart",
                       .cure = "repeat with a batch far from the others"}}};
  }
  static std::array<double, 1> features(const double* inputs) { return {inputs[0]}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    return natural[0] * (1.0 + natural[1] / features[0]);
  }
};

/// L(N, S, B), implicit:  L = (N_c/N)^alpha_N + ( (S_c/S) (1 + B_* / (B L^(1/alpha_B))) )^alpha_S.
/// Su et al. 2024, arXiv:2403.06563, §4.
struct Trajectory {
  static constexpr int kParameters = 6, kInputs = 3;
  static LawInfo info() {
    return {.name = "trajectory",
            .equation = "L = (N_c/N)^alpha_N + ((S_c/S) (1 + B_*/(batch L^(1/alpha_B))))^alpha_S",
            .source = "Su et al. 2024, arXiv:2403.06563, §4",
            .parameters = {coefficient("N_c", "parameter", exp_grid({20, 30}), 1e-12, 1e60),
                           exponent("alpha_N", {0.08, 0.3}), coefficient("S_c", "step", exp_grid({5, 8})),
                           exponent("alpha_S", {0.3, 0.7}), coefficient("B_*", "token", exp_grid({12, 18})),
                           exponent("alpha_B", {0.2, 0.5}, 1e-2)},
            .inputs = {"N", "S", "batch"},
            .needs = {{.input = "N",
                       .distinct = 2,
                       .parameters = "N_c, alpha_N",
                       .consequence = "scale and exponent trade off against each other",
                       .cure = "add a smaller model"},
                      {.input = "batch",
                       .distinct = 2,
                       .parameters = "B_*, S_c",
                       .consequence = "the cost of a batch is not told from that of steps",
                       .cure = "repeat the smallest run with another batch"}}};
  }

  /// (ln N, ln S, ln batch)
  static std::array<double, 3> features(const double* inputs) {
    return {std::log(inputs[0]), std::log(inputs[1]), std::log(inputs[2])};
  }

  /// The right-hand side falls in L, so L minus it rises, and it is concave: Newton's steps from the left, here from
  /// the loss at an infinite batch, come up to the root and never pass it. The last one carries the derivatives.
  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    const T level = exp(natural[1] * (log(natural[0]) - features[0]));
    const T &alpha_s = natural[3], &alpha_b = natural[5];
    const T steps = exp(alpha_s * (log(natural[2]) - features[1]));
    const T log_batch = log(natural[4]) - features[2];
    T loss = level + steps;
    for (int step = 0; step < 60; ++step) {
      const T ratio = exp(log_batch - log(loss) / alpha_b);  // B_crit / B
      const T term = steps * exp(alpha_s * log(1.0 + ratio));
      const T slope = 1.0 + term * alpha_s * ratio / ((1.0 + ratio) * alpha_b * loss);
      const T change = (level + term - loss) / slope;
      loss += change;
      if (step > 0 && !(value_of(change) > 1e-15 * value_of(loss))) break;
    }
    return loss;
  }

 private:
  static double value_of(double x) { return x; }
  template <typename T>
  static double value_of(const T& x) {
    return x.a;
  }
};

}  // namespace

const Law& annealing_law() {
  static const FormulaLaw<Annealing> law;
  return law;
}
const Law& annealing_n_law() {
  static const FormulaLaw<AnnealingN> law;
  return law;
}
const Law& continual_law() {
  static const FormulaLaw<Continual> law;
  return law;
}
const Law& critical_batch_law() {
  static const FormulaLaw<CriticalBatch> law;
  return law;
}
const Law& batch_steps_law() {
  static const FormulaLaw<BatchSteps> law;
  return law;
}
const Law& trajectory_law() {
  static const FormulaLaw<Trajectory> law;
  return law;
}

}  // namespace bitlaw
