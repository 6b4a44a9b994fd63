// Laws of low precision besides qat and fp_quantization. N [parameters], D [tokens], P [bits], L [nat/token].
#include "fitting/laws/chinchilla.h"
#include "fitting/laws/formula_law.h"
#include "fitting/laws/qat.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

/// delta(N, D, G) = k D^gamma_D (log2 G)^gamma_G / N^gamma_N, the loss that training in blocks adds.  Chen et al. 2025,
/// arXiv:2505.14302, Eq. 4. The observed number is the difference of two losses [nat/token], above zero; G > 1.
struct QatDelta {
  static constexpr int kParameters = 4, kInputs = 3;
  static LawInfo info() {
    const LawInfo joint = QatLaw::info();
    LawInfo info{.name = "qat_delta",
                 .equation = "delta = k D^gamma_D (log2 G)^gamma_G / N^gamma_N",
                 .source = "Chen et al. 2025, arXiv:2505.14302, Eq. 4",
                 .parameters = {joint.parameters.begin() + 5, joint.parameters.end()},
                 .inputs = joint.inputs,
                 .needs = {joint.needs.begin() + 2, joint.needs.end()}};
    for (const PublishedFit& fit : joint.published) {
      info.published.push_back({fit.name, fit.citation, {fit.values.begin() + 5, fit.values.end()}});
    }
    return info;
  }

  static std::array<double, 3> features(const double* inputs) { return QatLaw::features(inputs); }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    return QatLaw::penalty(natural, features);
  }
};

/// L = E + A / (N eff)^alpha + B / D^beta with eff = 1 at G = 1: the effective-parameter form that qat was compared
/// with, one eff for all sizes and data at one G.  Chen et al. 2025, arXiv:2505.14302, App. H. In terms of qat's
/// coefficients eff = (A / (A + k D^gamma_D (log2 G)^gamma_G N^(alpha - gamma_N)))^(1/alpha), which does depend on
/// them.
struct QatEffective {
  static constexpr int kParameters = 6, kInputs = 3;
  static LawInfo info() {
    std::vector<LawParameter> parameters = chinchilla_parameters_coarse();
    parameters[0].linear = false;  // eff scales it
    parameters.push_back(coefficient("eff", "1", {0.2, 0.6, 1}, 1e-4, 1e4));
    std::vector<DesignNeed> needs = chinchilla_needs();
    needs.push_back({.input = "G",
                     .distinct = 1,
                     .quantized_only = true,
                     .parameters = "eff",
                     .consequence = "nothing shows it",
                     .cure = "repeat the smallest run in a block format"});
    needs.push_back({.input = "G",
                     .distinct = 2,
                     .parameters = "A, eff",
                     .consequence = "eff is not told from A where every run is quantized",
                     .cure = "repeat the smallest run without quantization"});
    return {.name = "qat_effective",
            .equation = "L = E + A/(N eff)^alpha + B/D^beta, eff = 1 at G = 1",
            .source = "Chen et al. 2025, arXiv:2505.14302, App. H",
            .parameters = parameters,
            .inputs = {"N", "D", "G"},
            .needs = needs};
  }

  /// (ln N, ln D, G > 1)
  static std::array<double, 3> features(const double* inputs) {
    return {std::log(inputs[0]), std::log(inputs[1]), inputs[2] > 1 ? 1.0 : 0.0};
  }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    const T loss = ChinchillaLaw::predict(natural, features);
    if (features[2] == 0) return loss;
    const T size = natural[0] * exp(-natural[1] * features[0]);
    return loss + size * (exp(-natural[1] * log(natural[5])) - 1.0);
  }
};

/// L = A N_eff^-alpha + B D^-beta + E,  N_eff = N product over x in {w, a, kv} of (1 - exp(-(P_x / g_x - n_x))).
/// Kumar et al. 2024, arXiv:2411.04330, Eq. 3, with offsets n_x as in its Table of coefficients.
///
/// The paper prints n_x without its place; with P/g - n the compute-optimal width is the 7 bits that it reports, with
/// P/g + n there is none. P_x > g_x n_x. A width of 16 is not exactly full precision.
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
    T share(1.0);
    for (int x = 0; x < 3; ++x) share *= 1.0 - exp(natural[8 + x] - features[2 + x] / natural[5 + x]);
    const T& alpha = natural[1];
    return natural[4] + natural[0] * exp(-alpha * (features[0] + log(share))) +
           natural[2] * exp(-natural[3] * features[1]);
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

/// L = (A / (N eff_N)^alpha + B / (D eff_D)^beta)^gamma + E.  Castro et al. 2025, arXiv:2505.14669, Eq. 1.
///
/// eff_N and eff_D belong to a recipe and are 1 for full precision. Fit the rest to full-precision runs with both
/// fixed, then the recipe's runs with the rest fixed: within one recipe eff_N and A cannot be told apart.
struct Quartet {
  static constexpr int kParameters = 8, kInputs = 2;
  static LawInfo info() {
    std::vector<LawParameter> parameters = chinchilla_parameters_coarse();
    parameters[0].linear = parameters[2].linear = false;
    parameters.push_back(exponent("gamma", {0.3, 1}, 1e-3));
    parameters.push_back(coefficient("eff_N", "1", {0.5}, 1e-4, 1e4));
    parameters.push_back(coefficient("eff_D", "1", {0.5}, 1e-4, 1e4));
    const auto recipe = [](std::string_view name, double eff_n, double eff_d) {
      return PublishedFit{name,
                          "Castro et al. 2025, arXiv:2505.14669v4, Table 6, efficiencies of Tables 2 and 3",
                          {1.52e5, 0.589, 5.25e5, 0.544, 1.35, 0.274, eff_n, eff_d}};
    };
    return {.name = "quartet",
            .equation = "L = (A/(N eff_N)^alpha + B/(D eff_D)^beta)^gamma + E",
            .source = "Castro et al. 2025, arXiv:2505.14669, Eq. 1",
            .parameters = parameters,
            .inputs = {"N", "D"},
            .needs = chinchilla_needs(),
            .published = {recipe("full_precision", 1, 1), recipe("quartet", 0.65, 0.95), recipe("luq_int4", 0.49, 0.15),
                          recipe("luq_fp4", 0.01, 0.07)}};
  }

  static std::array<double, 2> features(const double* inputs) { return ChinchillaLaw::features(inputs); }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    const T size = natural[0] * exp(-natural[1] * (features[0] + log(natural[6])));
    const T data = natural[2] * exp(-natural[3] * (features[1] + log(natural[7])));
    return exp(natural[5] * log(size + data)) + natural[4];
  }
};

}  // namespace

const Law& qat_delta_law() {
  static const FormulaLaw<QatDelta> law;
  return law;
}
const Law& qat_effective_law() {
  static const FormulaLaw<QatEffective> law;
  return law;
}
const Law& kumar_law() {
  static const FormulaLaw<Kumar> law;
  return law;
}
const Law& kumar_post_law() {
  static const FormulaLaw<KumarPost> law;
  return law;
}
const Law& quartet_law() {
  static const FormulaLaw<Quartet> law;
  return law;
}

}  // namespace bitlaw
