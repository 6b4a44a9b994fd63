// Chinchilla's law where data are repeated. N [parameters], D and U [tokens], L [nat/token].
#include <algorithm>

#include "fitting/laws/chinchilla.h"
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

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

}  // namespace

const Law& data_constrained_law() { return law_of_formula<DataConstrained>(); }

}  // namespace bitlaw
