// What fp_quantization (Sun et al. 2025, arXiv:2501.02423) was put together from: its dependence on one property of the
// format at a time, at one N and D, and the block size that stands for one scale per tensor. L [nat/token].
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

/// L = 1 / (gamma (bits + 0.5)^power) + iota, Eq. 9 for the exponent's bits and Eq. 12 for the mantissa's.
struct WidthMarginal {
  static constexpr int kParameters = 3, kInputs = 1;

  static LawInfo describe(std::string_view name, std::string_view equation, std::string_view source,
                          std::string_view input, std::string_view power, std::string_view parameters) {
    return {.name = name,
            .equation = equation,
            .source = source,
            .parameters = {coefficient("gamma", "1/nat", exp_grid({0, 3, 6, 9}), 1e-12, 1e30),
                           exponent(power, {0.5, 1, 3, 6}, -2, 20),
                           linear(coefficient("iota", "nat", exp_grid({-1, 0, 0.5, 1}), 1e-6, 1e3))},
            .inputs = {input},
            .needs = {{.input = input,
                       .distinct = 3,
                       .parameters = parameters,
                       .consequence = "a level, a coefficient and an exponent are three unknowns",
                       .cure = "repeat the smallest run in one more format"}}};
  }

  /// (ln(bits + 0.5))
  static std::array<double, 1> features(const double* inputs) { return {std::log(inputs[0] + 0.5)}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return exp(-natural[1] * features[0]) / natural[0] + natural[2];
  }
};

struct FpExponent : WidthMarginal {
  static LawInfo info() {
    return describe("fp_exponent", "L = 1/(gamma (E+0.5)^delta) + iota", "Sun et al. 2025, arXiv:2501.02423, Eq. 9",
                    "E", "delta", "gamma, delta, iota");
  }
};

struct FpMantissa : WidthMarginal {
  static LawInfo info() {
    return describe("fp_mantissa", "L = 1/(gamma (M+0.5)^nu) + iota", "Sun et al. 2025, arXiv:2501.02423, Eq. 12", "M",
                    "nu", "gamma, nu, iota");
  }
};

/// L = kappa log2 B + psi, Eq. 14: B [elements per scale]; psi is the loss without quantization.
struct FpBlock {
  static constexpr int kParameters = 2, kInputs = 1;
  static LawInfo info() {
    return {.name = "fp_block",
            .equation = "L = kappa log2(B) + psi",
            .source = "Sun et al. 2025, arXiv:2501.02423, Eq. 14",
            .parameters = {linear(coefficient("kappa", "nat", exp_grid({-6, -3}))),
                           linear(coefficient("psi", "nat", exp_grid({0, 1}), 1e-6, 1e3))},
            .inputs = {"B"},
            .needs = {{.input = "B",
                       .distinct = 2,
                       .parameters = "kappa, psi",
                       .consequence = "a slope and a level are two unknowns",
                       .cure = "repeat the smallest run with another block size"}}};
  }

  /// (log2 B)
  static std::array<double, 1> features(const double* inputs) { return {std::log2(inputs[0])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    return natural[0] * features[0] + natural[1];
  }
};

/// log2 B_tensor = N^omega / (xi D^eta), §3.6: the block size that one scale per tensor is worth, by model and data.
/// The observed number is log2 B as fp_block or fp_quantization gives it for a loss; the paper prints no coefficients.
/// For one scale per channel it is a constant, FpQuantizationLaw::kChannelLog2B.
struct FpTensorBlock {
  static constexpr int kParameters = 3, kInputs = 2;
  static LawInfo info() {
    const auto need = [](std::string_view input, std::string_view parameters, std::string_view cure) {
      return DesignNeed{.input = input,
                        .distinct = 2,
                        .parameters = parameters,
                        .consequence = "a coefficient and an exponent are two unknowns",
                        .cure = cure};
    };
    return {.name = "fp_tensor_block",
            .equation = "log2(B_tensor) = N^omega / (xi D^eta)",
            .source = "Sun et al. 2025, arXiv:2501.02423, §3.6",
            .parameters = {exponent("omega", {0.1, 0.3, 1}, -5), coefficient("xi", "1", exp_grid({-10, -4, 0, 4})),
                           exponent("eta", {0.1, 0.3, 1}, -5)},
            .inputs = {"N", "D"},
            .needs = {need("N", "xi, omega", "add a smaller model"), need("D", "xi, eta", "add a shorter run")}};
  }

  /// (ln N, ln D)
  static std::array<double, 2> features(const double* inputs) { return {std::log(inputs[0]), std::log(inputs[1])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return exp(natural[0] * features[0] - natural[2] * features[1]) / natural[1];
  }
};

}  // namespace

const Law& fp_exponent_law() { return law_of_formula<FpExponent>(); }
const Law& fp_mantissa_law() { return law_of_formula<FpMantissa>(); }
const Law& fp_block_law() { return law_of_formula<FpBlock>(); }
const Law& fp_tensor_block_law() { return law_of_formula<FpTensorBlock>(); }

}  // namespace bitlaw
