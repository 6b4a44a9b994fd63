// Laws of Chinchilla's kind under other conditions of data: one data term, one exponent, repeated data, over-training,
// languages mixed. N [parameters], D [tokens], L [nat/token].
#include "fitting/laws/chinchilla.h"
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

/// L(D) = a D^-b + c.  Hestness et al. 2017, arXiv:1712.00409, §2.
struct Hestness {
  static constexpr int kParameters = 3, kInputs = 1;
  static LawInfo info() {
    return {.name = "hestness",
            .equation = "L = a D^-b + c",
            .source = "Hestness et al. 2017, arXiv:1712.00409, §2",
            .parameters = {linear(coefficient("a", "nat", exp_grid({0, 3, 6, 10, 15}))),
                           exponent("b", {0.07, 0.2, 0.35, 0.6, 1}),
                           linear(coefficient("c", "nat", exp_grid({-3, -1, 0, 0.5, 1}), 1e-6, 1e3))},
            .inputs = {"D"},
            .needs = {{.input = "D",
                       .distinct = 3,
                       .parameters = "a, b, c",
                       .consequence = "a coefficient, an exponent and a constant have three unknowns",
                       .cure = "add a shorter run"}}};
  }

  /// (ln D)
  static std::array<double, 1> features(const double* inputs) { return {std::log(inputs[0])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return natural[0] * exp(-natural[1] * features[0]) + natural[2];
  }
};

/// L(N, D) = E + A / N^alpha + B / D^alpha: Chinchilla's law with one exponent (Muennighoff et al. 2023,
/// arXiv:2305.16264, App. A; Chen et al. 2025, arXiv:2505.14302, Table 1).
struct ChinchillaTied {
  static constexpr int kParameters = 4, kInputs = 2;
  static LawInfo info() {
    std::vector<LawParameter> untied = chinchilla_parameters_coarse();
    return {
        .name = "chinchilla_tied",
        .equation = "L = E + A/N^alpha + B/D^alpha",
        .source = "Muennighoff et al. 2023, arXiv:2305.16264, App. A",
        .parameters = {untied[0], untied[1], untied[2], untied[4]},
        .inputs = {"N", "D"},
        .needs = chinchilla_needs(),
        .published = {{"muennighoff",
                       "Muennighoff et al. 2023, arXiv:2305.16264, C4, logarithms in its notebook",
                       {std::exp(6.255414), 0.3526596, std::exp(7.3049974), std::exp(0.6254804)}},
                      {"chen", "Chen et al. 2025, arXiv:2505.14302, Table 1", {237.7042, 0.3022, 596.2490, 1.9279}}}};
  }

  static std::array<double, 2> features(const double* inputs) { return ChinchillaLaw::features(inputs); }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    const std::array<T, 5> untied{natural[0], natural[1], natural[2], natural[1], natural[3]};
    return ChinchillaLaw::predict(untied.data(), features);
  }
};

/// L(N, D, U) = E + A / (U_N + U_N R_N* (1 - e^(-R_N / R_N*)))^alpha + B / (U + U R_D* (1 - e^(-R_D / R_D*)))^beta.
/// Muennighoff et al. 2023, arXiv:2305.16264, Eq. 5 and 6.
///
/// U [distinct tokens], R_D = D/U - 1 repetitions. U_N = min(N, (U G)^(beta/alpha) G) is the size that U tokens would
/// be optimal for, with G = (alpha A / (beta B))^(1/(alpha + beta)), and R_N = N/U_N - 1. Data that are not repeated
/// (D <= U) count as D.
struct DataConstrained {
  static constexpr int kParameters = 7, kInputs = 3;
  static LawInfo info() {
    std::vector<LawParameter> parameters = chinchilla_parameters_coarse();
    parameters[0].linear = parameters[2].linear = false;  // U_N depends on A and B
    parameters.push_back(coefficient("R_D", "1", {1, 5, 15}, 1e-3, 1e6));
    parameters.push_back(coefficient("R_N", "1", {1, 5, 15}, 1e-3, 1e6));
    std::vector<DesignNeed> needs = chinchilla_needs();
    needs.push_back({.input = "U",
                     .distinct = 2,
                     .parameters = "R_D, R_N",
                     .consequence = "the cost of repeated tokens rests on one set of data",
                     .cure = "repeat the smallest run on a part of its tokens"});
    return {.name = "data_constrained",
            .equation =
                "L = E + A/(U_N + U_N R_N (1-exp(-(N/U_N-1)/R_N)))^alpha + B/(U + U R_D (1-exp(-(D/U-1)/R_D)))^beta",
            .source = "Muennighoff et al. 2023, arXiv:2305.16264, Eq. 5, 6",
            .parameters = parameters,
            .inputs = {"N", "D", "U"},
            .needs = needs,
            .published = {{"muennighoff",
                           "Muennighoff et al. 2023, arXiv:2305.16264, C4, values in its notebook",
                           {std::exp(6.255414), 0.3526596, std::exp(7.3049974), 0.3526596, std::exp(0.6254804),
                            15.387756, 5.309743}}}};
  }

  /// (N, D, min(U, D))
  static std::array<double, 3> features(const double* inputs) {
    return {inputs[0], inputs[1], std::min(inputs[1], inputs[2])};
  }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    const T &a = natural[0], &alpha = natural[1], &b = natural[2], &beta = natural[3], &e = natural[4];
    const T log_g = log(alpha * a / (beta * b)) / (alpha + beta);
    const T optimal = exp(beta / alpha * (std::log(features[2]) + log_g) + log_g);
    const T distinct_size = optimal < features[0] ? optimal : T(features[0]);
    const T size = effective(distinct_size, features[0], natural[6]);
    const T tokens = effective(T(features[2]), features[1], natural[5]);
    return e + a * exp(-alpha * log(size)) + b * exp(-beta * log(tokens));
  }

 private:
  /// What `amount`, of which `distinct` is new, is worth.
  template <typename T>
  static T effective(const T& distinct, double amount, const T& half_life) {
    using std::exp;
    return distinct + distinct * half_life * (1.0 - exp(-(amount / distinct - 1.0) / half_life));
  }
};

/// L(N, D) = E + a N^-eta + b 6^(-eta/2) D^-eta: Chinchilla's law with one exponent, as the authors of the
/// over-training law code it (theirs has -eta for b and D = M N).  Gadre et al. 2024, arXiv:2403.08540, Eq. 4.
struct OverTraining {
  static constexpr int kParameters = 4, kInputs = 2;
  static LawInfo info() {
    std::vector<LawParameter> untied = chinchilla_parameters_coarse();
    LawParameter a = untied[0], eta = untied[1], b = untied[2];
    a.name = "a", eta.name = "eta", b.name = "b";
    return {.name = "over_training",
            .equation = "L = E + a N^-eta + b 6^(-eta/2) D^-eta",
            .source = "Gadre et al. 2024, arXiv:2403.08540, Eq. 4",
            .parameters = {a, eta, b, untied[4]},
            .inputs = {"N", "D"},
            .needs = chinchilla_needs(),
            .published = {{"rpj",
                           "Gadre et al. 2024, arXiv:2403.08540, five small RedPajama models, refitted by its code",
                           {166.211, 0.272851, 366.687, 1.836648}}}};
  }

  static std::array<double, 2> features(const double* inputs) { return ChinchillaLaw::features(inputs); }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    const T& eta = natural[1];
    return natural[3] + natural[0] * exp(-eta * features[0]) +
           natural[2] * exp(-eta * (features[1] + 0.5 * std::log(6)));
  }
};

/// Err(L) = epsilon - k exp(-gamma L): top-1 error averaged over tasks from the loss.  Gadre et al. 2024,
/// arXiv:2403.08540, Eq. 5.
struct LossToError {
  static constexpr int kParameters = 3, kInputs = 1;
  static LawInfo info() {
    return {.name = "loss_to_error",
            .equation = "error = epsilon - k exp(-gamma L)",
            .source = "Gadre et al. 2024, arXiv:2403.08540, Eq. 5",
            .parameters = {linear(coefficient("epsilon", "1", {0.5, 0.8, 1}, 1e-6, 1e3)),
                           linear(coefficient("k", "1", exp_grid({-1, 0, 1, 2, 4}))),
                           exponent("gamma", {0.25, 0.5, 1, 2}, 0, 20)},
            .inputs = {"L"},
            .needs = {{.input = "L",
                       .distinct = 3,
                       .parameters = "epsilon, k, gamma",
                       .consequence = "a level, a coefficient and a rate are three unknowns",
                       .cure = "evaluate one more checkpoint of the smallest model"}}};
  }

  static std::array<double, 1> features(const double* inputs) { return {inputs[0]}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return natural[0] - natural[1] * exp(-natural[2] * features[0]);
  }
};

/// L(N; p) = beta (f(p) N)^-alpha + L_inf,  f(p) = p + c_1 p^c_2 (1 - p)^c_3: one language pair that gets the share p
/// of the batch.  Fernandes et al. 2023, arXiv:2302.09650, Eq. 4 to 7. p in (0, 1]; p = 1 alone has f = 1.
struct Multilingual {
  static constexpr int kParameters = 6, kInputs = 2;
  static LawInfo info() {
    return {
        .name = "multilingual",
        .equation = "L = beta (f N)^-alpha + L_inf, f = p + c_1 p^c_2 (1-p)^c_3",
        .source = "Fernandes et al. 2023, arXiv:2302.09650, Eq. 4-7",
        .parameters = {linear(coefficient("beta", "nat", exp_grid({0, 3, 6, 10}))), exponent("alpha", {0.1, 0.25, 0.5}),
                       linear(coefficient("L_inf", "nat", exp_grid({-1, 0, 0.5, 1}), 1e-6, 1e3)),
                       coefficient("c_1", "1", {0.05, 0.5}, 1e-9, 1e3), exponent("c_2", {0.3, 1}, 0, 10),
                       exponent("c_3", {0.5, 1.5}, 0, 10)},
        .inputs = {"N", "p"},
        .needs = {{.input = "N",
                   .distinct = 3,
                   .parameters = "beta, alpha, L_inf",
                   .consequence = "a coefficient, an exponent and a constant are three unknowns",
                   .cure = "add a smaller model"},
                  {.input = "p",
                   .distinct = 4,
                   .parameters = "c_1, c_2, c_3",
                   .consequence = "the shape of f(p) has three unknowns beside f(1) = 1",
                   .cure = "repeat the smallest model with another share of the batch"}}};
  }

  /// (ln N, p, ln p, ln(1 - p))
  static std::array<double, 4> features(const double* inputs) {
    return {std::log(inputs[0]), inputs[1], std::log(inputs[1]), std::log1p(-inputs[1])};
  }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    T share(features[1]);
    if (features[1] < 1) share += natural[3] * exp(natural[4] * features[2] + natural[5] * features[3]);
    return natural[0] * exp(-natural[1] * (features[0] + log(share))) + natural[2];
  }
};

}  // namespace

const Law& hestness_law() {
  static const FormulaLaw<Hestness> law;
  return law;
}
const Law& chinchilla_tied_law() {
  static const FormulaLaw<ChinchillaTied> law;
  return law;
}
const Law& data_constrained_law() {
  static const FormulaLaw<DataConstrained> law;
  return law;
}
const Law& over_training_law() {
  static const FormulaLaw<OverTraining> law;
  return law;
}
const Law& loss_to_error_law() {
  static const FormulaLaw<LossToError> law;
  return law;
}
const Law& multilingual_law() {
  static const FormulaLaw<Multilingual> law;
  return law;
}

}  // namespace bitlaw
