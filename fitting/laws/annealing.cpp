// The learning rate's path: the annealing law and what Wang et al. 2025, arXiv:2505.07796, made of it for several sizes
// and for continued training. L [nat/token].
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

}  // namespace

const Law& annealing_law() { return law_of_formula<Annealing>(); }
const Law& annealing_n_law() { return law_of_formula<AnnealingN>(); }
const Law& continual_law() { return law_of_formula<Continual>(); }

}  // namespace bitlaw
