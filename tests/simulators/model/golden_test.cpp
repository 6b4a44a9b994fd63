#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/base/file.h"
#include "simulators/model/transformer.h"

using namespace bitlaw;

namespace {

/// The closed formula of tests/golden/make_transformer.py.
double hashed(std::uint64_t i) { return static_cast<double>((i * 2654435761U & 0xFFFFFFFFU) >> 8) * 0x1p-24 - 0.5; }

/// Loss and gradients agree with the stored ones of PyTorch in float64 to a tolerance relative to each parameter's
/// norm.
template <typename T>
void check_against_pytorch(double tolerance) {
  const auto golden = nlohmann::json::parse(read_file(BITLAW_SOURCE_DIR "/tests/golden/transformer.json"));
  const ModelConfig config{.layers = 2, .width = 24, .heads = 3, .kv_heads = 1, .ffn = 40, .context = 10};
  Transformer<T> model(config, 13, LayerPlan{}, 0);
  ParameterSet<T>& parameters = model.parameters();
  for (const Parameter& p : parameters.layout()) {
    const bool is_norm = p.name.ends_with("norm");
    for (std::int64_t i = p.first; i < p.first + p.size(); ++i) {
      const auto index = static_cast<std::size_t>(i);
      parameters.values()[index] = static_cast<T>(hashed(index) + (is_norm ? 1 : 0));
    }
  }
  std::vector<std::uint16_t> tokens;
  for (int i = 0; i <= 30; ++i) tokens.push_back(static_cast<std::uint16_t>(i * i * 7 % 13));
  const std::span<const std::uint16_t> all(tokens);
  CHECK(model.forward(all.first(30), all.last(30), 0) ==
        doctest::Approx(golden.at("loss").get<double>()).epsilon(tolerance));
  model.backward();
  for (const Parameter& p : parameters.layout()) {
    CAPTURE(p.name);
    const auto& expected = golden.at("gradients").at(p.name);
    const auto g =
        parameters.gradients().subspan(static_cast<std::size_t>(p.first), static_cast<std::size_t>(p.size()));
    const double norm = expected.at("norm");
    double dot = 0, squares = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      dot += static_cast<double>(g[i]) * hashed(i);
      squares += static_cast<double>(g[i]) * g[i];
    }
    CHECK(std::abs(std::sqrt(squares) - norm) < tolerance * norm);
    CHECK(std::abs(dot - expected.at("dot").get<double>()) < tolerance * norm);
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(std::abs(static_cast<double>(g[i]) - expected.at("first").at(i).get<double>()) < tolerance * norm);
    }
  }
}

}  // namespace

TEST_CASE("transformer: loss and gradients are PyTorch's from the same weights, in double") {
  check_against_pytorch<double>(1e-12);
}

TEST_CASE("transformer: loss and gradients are PyTorch's from the same weights, in float32") {
  check_against_pytorch<float>(5e-6);
}
