// The power laws of Kaplan et al. 2020, arXiv:2001.08361: N [non-embedding parameters], D [tokens], C [PF-days], S
// [optimizer steps at small batches], L [nat/token].
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

constexpr double kMaxScale = 1e60;

LawParameter scale(std::string_view name, std::string_view units) {
  return coefficient(name, units, exp_grid({7, 15, 25, 32}), 1e-12, kMaxScale);
}
LawParameter slope(std::string_view name) { return exponent(name, {0.05, 0.1, 0.3, 0.8}); }

DesignNeed need(std::string_view input, std::string_view parameters, std::string_view cure) {
  return {.input = input,
          .distinct = 2,
          .parameters = parameters,
          .consequence = "scale and exponent trade off against each other",
          .cure = cure};
}

/// L = (x_c / x)^alpha
struct PowerRatio {
  static constexpr int kParameters = 2, kInputs = 1;

  /// (ln x)
  static std::array<double, 1> features(const double* inputs) { return {std::log(inputs[0])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    return exp(natural[1] * (log(natural[0]) - features[0]));
  }
};

/// L(N) = (N_c / N)^alpha_N, Eq. 1.1: trained to convergence on plenty of data.
struct KaplanN : PowerRatio {
  static LawInfo info() {
    return {.name = "kaplan_n",
            .equation = "L = (N_c/N)^alpha_N",
            .source = "Kaplan et al. 2020, arXiv:2001.08361, Eq. 1.1",
            .parameters = {scale("N_c", "parameter"), slope("alpha_N")},
            .inputs = {"N"},
            .needs = {need("N", "N_c, alpha_N", "add a smaller model")},
            .published = {{"kaplan", "Kaplan et al. 2020, arXiv:2001.08361, Eq. 1.1", {8.8e13, 0.076}}}};
  }
};

/// L(D) = (D_c / D)^alpha_D, Eq. 1.2: large models, stopped early.
struct KaplanD : PowerRatio {
  static LawInfo info() {
    return {.name = "kaplan_d",
            .equation = "L = (D_c/D)^alpha_D",
            .source = "Kaplan et al. 2020, arXiv:2001.08361, Eq. 1.2",
            .parameters = {scale("D_c", "token"), slope("alpha_D")},
            .inputs = {"D"},
            .needs = {need("D", "D_c, alpha_D", "add a shorter run")},
            .published = {{"kaplan", "Kaplan et al. 2020, arXiv:2001.08361, Eq. 1.2", {5.4e13, 0.095}}}};
  }
};

/// L(C) = (C_c / C)^alpha_C, Eq. 1.3: the least loss of a compute budget.
struct KaplanC : PowerRatio {
  static LawInfo info() {
    return {.name = "kaplan_c",
            .equation = "L = (C_c/C)^alpha_C",
            .source = "Kaplan et al. 2020, arXiv:2001.08361, Eq. 1.3",
            .parameters = {scale("C_c", "PF-day"), slope("alpha_C")},
            .inputs = {"C"},
            .needs = {need("C", "C_c, alpha_C", "add a smaller budget")},
            .published = {{"kaplan", "Kaplan et al. 2020, arXiv:2001.08361, Eq. 1.3", {3.1e8, 0.050}}}};
  }
};

/// L(N, D) = [ (N_c/N)^(alpha_N/alpha_D) + D_c/D ]^alpha_D, Eq. 1.5.
struct KaplanNd {
  static constexpr int kParameters = 4, kInputs = 2;
  static LawInfo info() {
    return {.name = "kaplan_nd",
            .equation = "L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D",
            .source = "Kaplan et al. 2020, arXiv:2001.08361, Eq. 1.5",
            .parameters = {scale("N_c", "parameter"), slope("alpha_N"), scale("D_c", "token"),
                           exponent("alpha_D", {0.05, 0.1, 0.3, 0.8}, 1e-4)},
            .inputs = {"N", "D"},
            .needs = {need("N", "N_c, alpha_N", "add a smaller model"), need("D", "D_c, alpha_D", "add a shorter run")},
            .published = {{"kaplan", "Kaplan et al. 2020, arXiv:2001.08361, Table 2", {6.4e13, 0.076, 1.8e13, 0.103}}}};
  }

  /// (ln N, ln D)
  static std::array<double, 2> features(const double* inputs) { return {std::log(inputs[0]), std::log(inputs[1])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    const T &alpha_n = natural[1], &alpha_d = natural[3];
    const T size = exp(alpha_n / alpha_d * (log(natural[0]) - features[0]));
    const T data = exp(log(natural[2]) - features[1]);
    return exp(alpha_d * log(size + data));
  }
};

/// L(N, S) = (N_c/N)^alpha_N + (S_c/S)^alpha_S, Eq. 1.6; S: steps at a batch far below the critical one.
struct KaplanNs {
  static constexpr int kParameters = 4, kInputs = 2;
  static LawInfo info() {
    return {.name = "kaplan_ns",
            .equation = "L = (N_c/N)^alpha_N + (S_c/S)^alpha_S",
            .source = "Kaplan et al. 2020, arXiv:2001.08361, Eq. 1.6",
            .parameters = {scale("N_c", "parameter"), slope("alpha_N"), scale("S_c", "step"), slope("alpha_S")},
            .inputs = {"N", "S"},
            .needs = {need("N", "N_c, alpha_N", "add a smaller model"), need("S", "S_c, alpha_S", "add a shorter run")},
            .published = {{"kaplan", "Kaplan et al. 2020, arXiv:2001.08361, Table 3", {6.5e13, 0.077, 2.1e3, 0.76}}}};
  }

  /// (ln N, ln S)
  static std::array<double, 2> features(const double* inputs) { return {std::log(inputs[0]), std::log(inputs[1])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    return exp(natural[1] * (log(natural[0]) - features[0])) + exp(natural[3] * (log(natural[2]) - features[1]));
  }
};

}  // namespace

const Law& kaplan_n_law() { return law_of_formula<KaplanN>(); }
const Law& kaplan_d_law() { return law_of_formula<KaplanD>(); }
const Law& kaplan_c_law() { return law_of_formula<KaplanC>(); }
const Law& kaplan_nd_law() { return law_of_formula<KaplanNd>(); }
const Law& kaplan_ns_law() { return law_of_formula<KaplanNs>(); }

}  // namespace bitlaw
