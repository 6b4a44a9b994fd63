#pragma once

#include <array>
#include <cmath>

#include "fitting/laws/law.h"

namespace bitlaw {

/// L(N, D, E, M, B) = n / N^alpha + d / D^beta + epsilon
///                    + (D^beta / N^alpha) log2(B) / (gamma (E + 0.5)^delta (M + 0.5)^nu).
/// Sun et al. 2025, arXiv:2501.02423, Eq. 1.
///
/// Natural parameters (n, alpha, d, beta, epsilon, gamma, delta, nu); N [parameters], D [tokens], E and M [exponent
/// and mantissa bits], B [elements per scale], L [nat/token]. B = 1 means not quantized: the last term is zero.
struct FpQuantizationLaw {
  static constexpr int kParameters = 8;
  static constexpr int kInputs = 5;
  /// log2 B that stands for one scale per channel, whatever its length (§3.6).
  static constexpr double kChannelLog2B = 13.1567;
  static LawInfo info();

  /// (ln N, ln D, ln(E + 0.5), ln(M + 0.5), log2 B)
  static std::array<double, 5> features(const double* inputs) {
    return {std::log(inputs[0]), std::log(inputs[1]), std::log(inputs[2] + 0.5), std::log(inputs[3] + 0.5),
            std::log2(inputs[4])};
  }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    const T &n = natural[0], &alpha = natural[1], &d = natural[2], &beta = natural[3], &epsilon = natural[4];
    const T size = exp(-alpha * features[0]);   // N^-alpha
    const T tokens = exp(-beta * features[1]);  // D^-beta
    const T full_precision = n * size + d * tokens + epsilon;
    return features[4] == 0 ? full_precision : full_precision + size / tokens * penalty(natural, features);
  }

 private:
  /// log2(B) / (gamma (E + 0.5)^delta (M + 0.5)^nu)
  template <typename T>
  static T penalty(const T* natural, const double* features) {
    using std::exp;
    const T &gamma = natural[5], &delta = natural[6], &nu = natural[7];
    return features[4] * exp(-delta * features[2] - nu * features[3]) / gamma;
  }
};

const Law& fp_quantization_law();

}  // namespace bitlaw
