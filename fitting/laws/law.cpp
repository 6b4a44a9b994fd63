#include "fitting/laws/law.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/closest.h"
#include "core/base/error.h"
#include "fitting/laws/chinchilla.h"
#include "fitting/laws/fp_quantization.h"
#include "fitting/laws/qat.h"

namespace bitlaw {
namespace {

/// The registry: one line a law.
std::array<const Law*, 3> laws() {
  return {
      &chinchilla_law(),
      &qat_law(),
      &fp_quantization_law(),
  };
}

}  // namespace

double to_fitted(const LawParameter& parameter, double natural) {
  return parameter.transform == Transform::Log ? std::log(natural) : natural;
}

double to_natural(const LawParameter& parameter, double fitted) {
  return parameter.transform == Transform::Log ? std::exp(fitted) : fitted;
}

std::vector<double> Law::to_fitted(std::span<const double> natural) const {
  std::vector<double> fitted;
  for (std::size_t j = 0; j < natural.size(); ++j) fitted.push_back(bitlaw::to_fitted(parameters()[j], natural[j]));
  return fitted;
}

std::vector<double> Law::to_natural(std::span<const double> fitted) const {
  std::vector<double> natural;
  for (std::size_t j = 0; j < fitted.size(); ++j) natural.push_back(bitlaw::to_natural(parameters()[j], fitted[j]));
  return natural;
}

std::vector<std::string_view> law_names() {
  std::vector<std::string_view> names;
  for (const Law* law : laws()) names.push_back(law->name());
  return names;
}

const Law& find_law(std::string_view name) {
  for (const Law* law : laws()) {
    if (law->name() == name) return *law;
  }
  throw InputError(fmt::format("law '{}' is not known, so nothing can be fitted; {}", name, remedy(name, law_names())));
}

}  // namespace bitlaw
