#pragma once

#include <array>
#include <cmath>

#include "fitting/laws/law.h"

namespace bitlaw {

/// L(N, D) = E + A / N^alpha + B / D^beta.  Hoffmann et al. 2022, arXiv:2203.15556, Eq. 2.
///
/// Natural parameters (A, alpha, B, beta, E); N [parameters], D [tokens], L [nat/token].
struct ChinchillaLaw {
  static constexpr int kParameters = 5;
  static constexpr int kInputs = 2;
  static LawInfo info();

  /// (ln N, ln D)
  static std::array<double, 2> features(const double* inputs) { return {std::log(inputs[0]), std::log(inputs[1])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    const T &a = natural[0], &alpha = natural[1], &b = natural[2], &beta = natural[3], &e = natural[4];
    return e + a * exp(-alpha * features[0]) + b * exp(-beta * features[1]);
  }
};

const Law& chinchilla_law();

/// The parts of this law's description that laws built upon it share: A, alpha, B, beta, E with coarse starts.
std::vector<LawParameter> chinchilla_parameters_coarse();
/// At least three values of N and of D.
std::vector<DesignNeed> chinchilla_needs();

}  // namespace bitlaw
