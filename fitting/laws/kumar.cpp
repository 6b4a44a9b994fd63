// Training, and rounding after it, at few bits. N [parameters], D [tokens], P [bits], L [nat/token].
#include "fitting/laws/chinchilla.h"
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

/// L = A N_eff^-alpha + B D^-beta + E,  N_eff = N product over x in {w, a, kv} of (1 - exp(-(P_x / g_x - n_x))).
/// Kumar et al. 2024, arXiv:2411.04330, Eq. 3, with offsets n_x as in its Table of coefficients.
///
/// The paper prints n_x without its place; with P/g - n the compute-optimal width is the 7 bits that it reports, with
/// P/g + n there is none. No value (NaN) where a width is below g_x n_x, also where two are, whose product would be
/// positive. A width of 16 is not exactly full precision.
struct Kumar {
  static constexpr int kParameters = 11, kInputs = 5;
  static LawInfo info() {
    std::vector<LawParameter> parameters = chinchilla_parameters_coarse();
    for (const std::string_view g : {"g_w", "g_a", "g_kv"}) parameters.push_back(coefficient(g, "bit", {2}, 1e-2, 1e2));
    for (const std::string_view n : {"n_w", "n_a", "n_kv"}) parameters.push_back(exponent(n, {0, 1}, -5, 5));
    std::vector<DesignNeed> needs = chinchilla_needs();
    const auto width = [](std::string_view input, std::string_view names) {
      return DesignNeed{.input = input,
                        .distinct = 3,
                        .parameters = names,
                        .consequence = "a scale and an offset of the width are not told from A",
                        .cure = "repeat the smallest run with another width"};
    };
    needs.push_back(width("Pw", "g_w, n_w"));
    needs.push_back(width("Pa", "g_a, n_a"));
    needs.push_back(width("Pkv", "g_kv, n_kv"));
    return {
        .name = "kumar",
        .equation = "L = A/N_eff^alpha + B/D^beta + E, N_eff = N prod_x (1 - exp(-(P_x/g_x - n_x)))",
        .source = "Kumar et al. 2024, arXiv:2411.04330, Eq. 3",
        .parameters = parameters,
        .inputs = {"N", "D", "Pw", "Pa", "Pkv"},
        .needs = needs,
        .published = {{"kumar",
                       "Kumar et al. 2024, arXiv:2411.04330, App. (table of fitted constants)",
                       {4.299e3, 0.4965, 1.806e4, 0.4965, 2.7648, 2.6745, 2.2102, 0.9578, 0.3037, 1.4072, 2.4185}}}};
  }

  /// (ln N, ln D, P_w, P_a, P_kv)
  static std::array<double, 5> features(const double* inputs) {
    return {std::log(inputs[0]), std::log(inputs[1]), inputs[2], inputs[3], inputs[4]};
  }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    T log_size(features[0]);  // ln N_eff
    for (int x = 0; x < 3; ++x) log_size += log(1.0 - exp(natural[8 + x] - features[2 + x] / natural[5 + x]));
    const T& alpha = natural[1];
    return natural[4] + natural[0] * exp(-alpha * log_size) + natural[2] * exp(-natural[3] * features[1]);
  }
};

/// delta = C_T exp(-P_post / g_post) D^gamma_D / N^gamma_N, the loss that rounding the weights of a model trained in 16
/// bits adds.  Kumar et al. 2024, arXiv:2411.04330, Eq. 2.
struct KumarPost {
  static constexpr int kParameters = 4, kInputs = 3;
  static LawInfo info() {
    return {
        .name = "kumar_post",
        .equation = "delta = C_T exp(-P_post/g_post) D^gamma_D / N^gamma_N",
        .source = "Kumar et al. 2024, arXiv:2411.04330, Eq. 2",
        .parameters = {linear(coefficient("C_T", "nat", exp_grid({-6, -3, 0, 3}))), exponent("gamma_D", {0.2, 0.5}, -2),
                       exponent("gamma_N", {0.2, 0.5}, -2), coefficient("g_post", "bit", {0.5, 2}, 1e-2, 1e2)},
        .inputs = {"N", "D", "Ppost"},
        .needs = {{.input = "Ppost",
                   .distinct = 2,
                   .parameters = "C_T, g_post",
                   .consequence = "g_post trades off against C_T",
                   .cure = "round the smallest model once more, to another width"},
                  {.input = "N",
                   .distinct = 2,
                   .parameters = "C_T, gamma_N",
                   .consequence = "gamma_N trades off against C_T",
                   .cure = "round one more, smaller model"},
                  {.input = "D",
                   .distinct = 2,
                   .parameters = "C_T, gamma_D",
                   .consequence = "gamma_D trades off against C_T",
                   .cure = "round a shorter run of the smallest model"}},
        .published = {{"kumar",
                       "Kumar et al. 2024, arXiv:2411.04330, App. (table of fitted constants)",
                       {0.0598, 0.5068, 0.3439, 0.5907}}}};
  }

  /// (ln N, ln D, P_post)
  static std::array<double, 3> features(const double* inputs) {
    return {std::log(inputs[0]), std::log(inputs[1]), inputs[2]};
  }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return natural[0] * exp(natural[1] * features[1] - natural[2] * features[0] - features[2] / natural[3]);
  }
};

}  // namespace

const Law& kumar_law() { return law_of_formula<Kumar>(); }
const Law& kumar_post_law() { return law_of_formula<KumarPost>(); }

}  // namespace bitlaw
