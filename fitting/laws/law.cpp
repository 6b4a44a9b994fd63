#include "fitting/laws/law.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/closest.h"
#include "core/base/error.h"

namespace bitlaw {

// The registry: one line a law, whose file defines NAME_law().
#define BITLAW_EACH_LAW(X) \
  X(chinchilla)            \
  X(chinchilla_tied)       \
  X(qat)                   \
  X(qat_delta)             \
  X(qat_effective)         \
  X(fp_quantization)       \
  X(fp_exponent)           \
  X(fp_mantissa)           \
  X(fp_block)              \
  X(fp_tensor_block)       \
  X(kumar)                 \
  X(kumar_post)            \
  X(quartet)               \
  X(kaplan_n)              \
  X(kaplan_d)              \
  X(kaplan_c)              \
  X(kaplan_nd)             \
  X(kaplan_ns)             \
  X(hestness)              \
  X(data_constrained)      \
  X(over_training)         \
  X(loss_to_error)         \
  X(bnsl)                  \
  X(bnsl_2)                \
  X(annealing)             \
  X(annealing_n)           \
  X(continual)             \
  X(critical_batch)        \
  X(batch_steps)           \
  X(trajectory)            \
  X(multilingual)          \
  X(coverage)              \
  X(accuracy)              \
  X(epsilon_1)             \
  X(epsilon_2)             \
  X(epsilon_3)             \
  X(epsilon_4)

#define BITLAW_DECLARE(name) const Law& name##_law();
BITLAW_EACH_LAW(BITLAW_DECLARE)
#undef BITLAW_DECLARE

namespace {

/// What the literature calls a law, and its name here.
constexpr std::array kAliases{std::pair<std::string_view, std::string_view>{"capybara", "fp_quantization"}};

std::vector<const Law*> laws() {
#define BITLAW_ADDRESS(name) &name##_law(),
  return {BITLAW_EACH_LAW(BITLAW_ADDRESS)};
#undef BITLAW_ADDRESS
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

void Law::log_predictions(std::span<const double> fitted, std::span<const double> features, std::span<double> log_loss,
                          std::span<double> jacobian) const {
  predictions(fitted, features, log_loss, jacobian);
  const std::size_t p = parameters().size();
  for (std::size_t i = 0; i < log_loss.size(); ++i) {
    const double loss = log_loss[i];
    log_loss[i] = std::log(loss);
    for (std::size_t j = 0; j < p && !jacobian.empty(); ++j) jacobian[i * p + j] /= loss;
  }
}

double least_value(std::string_view input) {
  constexpr std::array kAtLeastOne{"N", "D", "U", "G", "B", "k"};
  constexpr std::array kAtLeastZero{"E", "M", "Pw", "Pa", "Pkv", "Ppost", "S", "batch", "C", "L", "p", "x", "S1", "T"};
  const auto is_input = [input](std::string_view name) { return name == input; };
  if (std::any_of(kAtLeastOne.begin(), kAtLeastOne.end(), is_input)) return 1;
  if (std::any_of(kAtLeastZero.begin(), kAtLeastZero.end(), is_input)) return 0;
  return -std::numeric_limits<double>::infinity();
}

std::vector<std::string_view> law_names() {
  std::vector<std::string_view> names;
  for (const Law* law : laws()) names.push_back(law->name());
  return names;
}

const Law& find_law(std::string_view name) {
  for (const auto& [alias, meant] : kAliases) {
    if (name == alias) name = meant;
  }
  for (const Law* law : laws()) {
    if (law->name() == name) return *law;
  }
  throw InputError(fmt::format("law '{}' is not known, so nothing can be fitted; {}", name, remedy(name, law_names())));
}

}  // namespace bitlaw
