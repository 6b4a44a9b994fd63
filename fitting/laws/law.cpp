#include "fitting/laws/law.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

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

/// Levenshtein's distance, row by row.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
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
  throw InputError(fmt::format("law '{}' is not known{}, so nothing can be fitted; use one of: {}", name,
                               did_you_mean(name, law_names()), fmt::join(law_names(), ", ")));
}

std::string did_you_mean(std::string_view misspelt, std::span<const std::string_view> candidates) {
  const auto nearest = std::min_element(candidates.begin(), candidates.end(),
                                        [&](auto a, auto b) { return edits(misspelt, a) < edits(misspelt, b); });
  if (nearest == candidates.end() || edits(misspelt, *nearest) > 2) return "";
  return fmt::format(" (did you mean '{}'?)", *nearest);
}

}  // namespace bitlaw
