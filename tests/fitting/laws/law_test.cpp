#include "fitting/laws/law.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <map>
#include <string_view>
#include <vector>

#include "tests/fitting/relative.h"
#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {

/// Three observations of a law, in its own input order; of the quantized laws the first is not quantized.
std::vector<std::vector<double>> example_inputs(const Law& law) {
  static const std::map<std::string_view, std::array<double, 3>> values{
      {"N", {2e4, 3e7, 4e9}},      {"D", {1e6, 5e9, 8e11}}, {"U", {1e6, 1e9, 2e12}},
      {"G", {1, 32, 256}},         {"B", {1, 16, 512}},     {"E", {8, 4, 2}},
      {"M", {23, 3, 1}},           {"Pw", {4, 8, 16}},      {"Pa", {5, 8, 6}},
      {"Pkv", {6, 4, 16}},         {"Ppost", {3, 4, 8}},    {"S", {1e3, 2e4, 3e6}},
      {"C", {1e-6, 1e-3, 1}},      {"L", {4, 3, 2}},        {"p", {0.05, 0.6, 1}},
      {"x", {1e2, 1e4, 1e7}},      {"k", {1, 10, 1000}},    {"S1", {0.2, 1, 5}},
      {"S2", {0, -0.05, 0.4}},     {"S1c", {0, 0.5, 2}},    {"S2c", {0, 0.01, 0.2}},
      {"batch", {64, 1e4, 4.1e6}}, {"T", {2e3, 7e3, 4e4}}};
  std::vector<std::vector<double>> rows(3);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const std::string_view input : law.inputs()) rows[i].push_back(values.at(input)[i]);
  }
  if (law.name() == "qat_delta") rows.erase(rows.begin());  // no penalty, so no logarithm of one
  return rows;
}

/// The published coefficients of a law, or else the middle of its starts.
std::vector<std::vector<double>> example_parameters(const Law& law) {
  std::vector<std::vector<double>> examples;
  for (const PublishedFit& published : law.published()) examples.push_back(published.values);
  if (!examples.empty()) return examples;
  std::vector<double>& middle = examples.emplace_back();
  for (const LawParameter& parameter : law.parameters())
    middle.push_back(parameter.starts[parameter.starts.size() / 2]);
  return examples;
}

double log_loss(const Law& law, const std::vector<double>& fitted, const std::vector<double>& features) {
  std::array<double, 1> value{};
  law.log_predictions(fitted, features, value, {});
  return value[0];
}

}  // namespace

TEST_CASE("law: the gradient of every law agrees with central differences at all published coefficients or starts") {
  for (const std::string_view name : law_names()) {
    const Law& law = find_law(name);
    for (const std::vector<double>& values : example_parameters(law)) {
      for (const std::vector<double>& inputs : example_inputs(law)) {
        const std::vector<double> fitted = law.to_fitted(values);
        const std::vector<double> features = law.features(inputs);
        std::array<double, 1> value{};
        std::vector<double> gradient(fitted.size());
        law.log_predictions(fitted, features, value, gradient);
        CHECK(std::abs(value[0] - std::log(law.predict(values, inputs))) < 1e-13 * std::max(1.0, std::abs(value[0])));
        for (std::size_t j = 0; j < fitted.size(); ++j) {
          CAPTURE(name);
          CAPTURE(law.parameters()[j].name);
          const double h = 1e-5;
          std::vector<double> up = fitted, down = fitted;
          up[j] += h;
          down[j] -= h;
          const double difference = (log_loss(law, up, features) - log_loss(law, down, features)) / (2 * h);
          // Truncation h^2 f'''/6 with |ln N|^3 < 2e4, and rounding 2e-16 / h.
          CHECK(std::abs(gradient[j] - difference) < 1e-6 * std::max(1.0, std::abs(gradient[j])));
        }
      }
    }
  }
}

TEST_CASE("law: parameters marked linear are so together") {
  for (const std::string_view name : law_names()) {
    const Law& law = find_law(name);
    const std::vector<double> base = example_parameters(law)[0];
    std::vector<double> once = base, twice = base;
    for (std::size_t j = 0; j < base.size(); ++j) {
      if (!law.parameters()[j].linear) continue;
      once[j] *= 1.5;
      twice[j] *= 2;
    }
    for (const std::vector<double>& inputs : example_inputs(law)) {
      CAPTURE(name);
      const double low = law.predict(base, inputs), middle = law.predict(once, inputs),
                   high = law.predict(twice, inputs);
      CHECK(std::abs(low + high - 2 * middle) <= 1e-13 * std::abs(middle));
    }
  }
}

TEST_CASE("law: published coefficients lie inside the bounds and have one value per parameter") {
  for (const std::string_view name : law_names()) {
    const Law& law = find_law(name);
    for (const PublishedFit& published : law.published()) {
      REQUIRE(published.values.size() == law.parameters().size());
      for (std::size_t j = 0; j < published.values.size(); ++j) {
        CAPTURE(law.parameters()[j].name);
        CHECK(published.values[j] > law.parameters()[j].lower);
        CHECK(published.values[j] < law.parameters()[j].upper);
      }
    }
  }
}

TEST_CASE("law: fitted and natural coordinates are inverse to each other") {
  const Law& law = find_law("qat");
  const std::vector<double>& natural = law.published()[0].values;
  const std::vector<double> there = law.to_fitted(natural);
  CHECK(there[0] == std::log(natural[0]));  // A is fitted as log A
  CHECK(there[1] == natural[1]);            // alpha as itself
  const std::vector<double> back = law.to_natural(there);
  for (std::size_t j = 0; j < natural.size(); ++j) CHECK(back[j] == relative(natural[j], 1e-14));
}

TEST_CASE("law: an unknown name is refused with the nearest one") {
  const auto message = [](std::string_view name) { return message_of([&] { find_law(name); }); };
  CHECK(message("chinchila") == "law 'chinchila' is not known, so nothing can be fitted; did you mean 'chinchilla'?");
  CHECK(message("x").starts_with("law 'x' is not known, so nothing can be fitted; use one of: chinchilla, "));
}
