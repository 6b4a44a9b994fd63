#pragma once

#include <array>
#include <cmath>

#include "fitting/laws/chinchilla.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// L(N, D, G) = E + A / N^alpha + B / D^beta + k D^gamma_D (log2 G)^gamma_G / N^gamma_N.
/// Chen et al. 2025, arXiv:2505.14302, Eq. 1, 4 and 5.
///
/// Natural parameters (A, alpha, B, beta, E, k, gamma_N, gamma_D, gamma_G); N [parameters], D [tokens],
/// G [elements per scale], L [nat/token]. G = 1 means not quantized: the last term and all its derivatives are zero.
struct QatLaw {
  static constexpr int kParameters = 9;
  static constexpr int kInputs = 3;
  static LawInfo info();

  /// (ln N, ln D, ln log2 G); the last is -infinity for G = 1.
  static std::array<double, 3> features(const double* inputs) {
    return {std::log(inputs[0]), std::log(inputs[1]), std::log(std::log2(inputs[2]))};
  }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    const T full_precision = ChinchillaLaw::predict(natural, features);
    return std::isinf(features[2]) ? full_precision : full_precision + penalty(natural + 5, features);
  }

  /// delta(N, D, G), the loss that quantization adds; (k, gamma_N, gamma_D, gamma_G), finite features only.
  template <typename T>
  static T penalty(const T* natural, const double* features) {
    using std::exp;
    const T &k = natural[0], &gamma_n = natural[1], &gamma_d = natural[2], &gamma_g = natural[3];
    return k * exp(gamma_d * features[1] + gamma_g * features[2] - gamma_n * features[0]);
  }
};

const Law& qat_law();

}  // namespace bitlaw
