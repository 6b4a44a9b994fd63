#include "fitting/laws/qat.h"

#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

std::vector<LawParameter> qat_parameters() {
  std::vector<LawParameter> all = chinchilla_parameters_coarse();
  all.push_back({"k", "nat", Transform::Log, 1e-12, 1e12, exp_grid({-6, -2, 2}), true});
  all.push_back({"gamma_N", "1", Transform::Identity, -2, 5, {0.2, 0.6}});
  all.push_back({"gamma_D", "1", Transform::Identity, -2, 5, {0, 0.2}});
  all.push_back({"gamma_G", "1", Transform::Identity, -2, 5, {0.5, 1}});
  return all;
}

std::vector<DesignNeed> qat_needs() {
  std::vector<DesignNeed> all = chinchilla_needs();
  all.push_back({.input = "G",
                 .distinct = 2,
                 .quantized_only = true,
                 .parameters = "k, gamma_G",
                 .consequence = "gamma_G trades off against k, so only the penalty at that block size is known",
                 .cure = "repeat the smallest quantized run with another block size"});
  all.push_back({.input = "N",
                 .distinct = 2,
                 .quantized_only = true,
                 .parameters = "k, gamma_N",
                 .consequence = "gamma_N trades off against k",
                 .cure = "quantize one more, smaller model"});
  all.push_back({.input = "D",
                 .distinct = 2,
                 .quantized_only = true,
                 .parameters = "k, gamma_D",
                 .consequence = "gamma_D trades off against k",
                 .cure = "repeat the smallest quantized run with fewer tokens"});
  return all;
}

/// A set of Table 1: its own k, gamma_N, gamma_D, gamma_G on the Chinchilla part that all sets share.
PublishedFit table1(std::string_view name, double k, double gamma_n, double gamma_d, double gamma_g) {
  return {.name = name,
          .citation = "Chen et al. 2025, arXiv:2505.14302, Table 1",
          .values = {237.7042, 0.3022, 596.2490, 0.3022, 1.9279, k, gamma_n, gamma_d, gamma_g}};
}

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

}  // namespace

LawInfo QatLaw::info() {
  return {.name = "qat",
          .equation = "L = E + A/N^alpha + B/D^beta + k D^gamma_D (log2 G)^gamma_G / N^gamma_N",
          .source = "Chen et al. 2025, arXiv:2505.14302, Eq. 1, 4, 5",
          .parameters = qat_parameters(),
          .inputs = {"N", "D", "G"},
          .needs = qat_needs(),
          .published = {table1("W4A4", 0.1582, 0.2186, 0.0745, 0.7779), table1("W4A16", 0.2522, 0.3589, 0.1610, 0.3533),
                        table1("W16A4", 0.1004, 0.1816, 0.0331, 0.9812),
                        table1("W4A4_fc2_8bit", 0.3519, 0.2637, 0.0964, 0.3407),
                        table1("W16A4_fc2_8bit", 0.1273, 0.2347, 0.0827, 0.4491)}};
}

const Law& qat_law() { return law_of_formula<QatLaw>(); }
const Law& qat_delta_law() { return law_of_formula<QatDelta>(); }
const Law& qat_effective_law() { return law_of_formula<QatEffective>(); }

}  // namespace bitlaw
