#pragma once

#include <ceres/jet.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

#include "core/base/check.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// A Law from a formula struct, differentiated with dual numbers. The struct has
///
///   static constexpr int kParameters, kInputs;
///   static LawInfo info();
///   static std::array<double, F> features(const double* inputs);
///   template <typename T> static T predict(const T* natural, const double* features);
template <typename Formula>
class FormulaLaw final : public Law {
  static constexpr int kP = Formula::kParameters;
  static constexpr std::size_t kF = std::tuple_size_v<decltype(Formula::features(nullptr))>;
  using Jet = ceres::Jet<double, kP>;

 public:
  FormulaLaw() : Law(Formula::info()) {
    BITLAW_CHECK(parameters().size() == kP && inputs().size() == Formula::kInputs,
                 "law {}: {} parameters and {} inputs described, {} and {} in the formula", name(), parameters().size(),
                 inputs().size(), kP, Formula::kInputs);
  }

  double predict(std::span<const double> natural, std::span<const double> inputs) const override {
    BITLAW_CHECK(natural.size() == kP && inputs.size() == Formula::kInputs, "law {}: got {} parameters, {} inputs",
                 name(), natural.size(), inputs.size());
    return Formula::predict(natural.data(), Formula::features(inputs.data()).data());
  }

  std::vector<double> features(std::span<const double> inputs) const override {
    BITLAW_CHECK(inputs.size() == Formula::kInputs, "law {}: got {} inputs", name(), inputs.size());
    const auto values = Formula::features(inputs.data());
    return {values.begin(), values.end()};
  }

  void predictions(std::span<const double> fitted, std::span<const double> features, std::span<double> loss,
                   std::span<double> jacobian) const override {
    BITLAW_CHECK(fitted.size() == kP && features.size() == loss.size() * kF &&
                     (jacobian.empty() || jacobian.size() == loss.size() * kP),
                 "law {}: fitted {}, features {}, loss {}, jacobian {}", name(), fitted.size(), features.size(),
                 loss.size(), jacobian.size());
    if (jacobian.empty()) {
      const std::vector<double> natural = to_natural(fitted);
      for (std::size_t i = 0; i < loss.size(); ++i) loss[i] = Formula::predict(natural.data(), &features[i * kF]);
      return;
    }
    std::array<Jet, kP> natural;
    for (int j = 0; j < kP; ++j) {
      const auto at = static_cast<std::size_t>(j);
      const Jet coordinate(fitted[at], j);
      natural[at] = parameters()[at].transform == Transform::Log ? exp(coordinate) : coordinate;
    }
    for (std::size_t i = 0; i < loss.size(); ++i) {
      const Jet result = Formula::predict(natural.data(), &features[i * kF]);
      loss[i] = result.a;
      std::copy_n(result.v.data(), kP, &jacobian[i * kP]);
    }
  }
};

/// The one law of a formula, made when it is first asked for.
template <typename Formula>
const Law& law_of_formula() {
  static const FormulaLaw<Formula> law;
  return law;
}

}  // namespace bitlaw
