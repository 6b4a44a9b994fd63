#include "simulators/model/transformer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/support/gradient_check.h"

using namespace bitlaw;

namespace {

const ModelConfig kTiny{.layers = 2, .width = 8, .heads = 2, .kv_heads = 1, .ffn = 12, .context = 4};
const std::vector<std::uint16_t> kInputs{0, 3, 1, 4, 2, 2, 0, 1};
const std::vector<std::uint16_t> kTargets{3, 1, 4, 2, 2, 0, 1, 3};

}  // namespace

TEST_CASE("transformer: backward agrees with finite differences in every parameter") {
  Transformer<double> model(kTiny, 5, LayerPlan{}, 7);
  model.forward(kInputs, kTargets, 0);
  model.backward();
  const std::vector<double> analytic(model.parameters().gradients().begin(), model.parameters().gradients().end());
  check_gradient(model.parameters().values(), analytic, [&] { return model.forward(kInputs, kTargets, 0); });
}

TEST_CASE("transformer: with a tied head and documents, backward agrees with finite differences in every parameter") {
  ModelConfig config = kTiny;
  config.tied_head = true;
  config.separator = 2;
  Transformer<double> model(config, 5, LayerPlan{}, 7);
  model.forward(kInputs, kTargets, 0);
  model.backward();
  const std::vector<double> analytic(model.parameters().gradients().begin(), model.parameters().gradients().end());
  check_gradient(model.parameters().values(), analytic, [&] { return model.forward(kInputs, kTargets, 0); });
}

TEST_CASE("transformer: a tied head is an untied one of the same weights, whose two gradients add up") {
  ModelConfig config = kTiny;
  Transformer<double> untied(config, 5, LayerPlan{}, 7);
  config.tied_head = true;
  Transformer<double> tied(config, 5, LayerPlan{}, 7);
  const auto table = tied.parameters().values().first(5 * 8);  // the embedding is the first parameter
  const auto rest = tied.parameters().values().subspan(5 * 8);
  const auto values = untied.parameters().values();
  REQUIRE(values.size() == tied.parameters().values().size() + 5 * 8);
  std::ranges::copy(table, values.begin());
  std::ranges::copy(rest, values.begin() + 5 * 8);
  std::ranges::copy(table, values.end() - 5 * 8);  // the head is the last one
  CHECK(tied.forward(kInputs, kTargets, 0) == untied.forward(kInputs, kTargets, 0));
  tied.backward();
  untied.backward();
  for (std::size_t i = 0; i < 5 * 8; ++i) {
    const auto both = untied.parameters().gradients();
    CHECK(tied.parameters().gradients()[i] == doctest::Approx(both[i] + both[both.size() - 5 * 8 + i]).epsilon(1e-12));
  }
}

TEST_CASE("transformer: documents packed into one sequence are what they are in sequences of their own") {
  ModelConfig config = kTiny;
  config.context = 8;
  config.separator = 2;
  // Three documents that end with token 2, of 3, 1 and 4 tokens.
  const std::vector<std::uint16_t> inputs{0, 3, 2, 2, 1, 4, 0, 1}, targets{3, 2, 2, 1, 4, 0, 1, 3};
  Transformer<double> packed(config, 5, LayerPlan{}, 7);
  const double loss = packed.forward(inputs, targets, 0);
  packed.backward();
  double total = 0;
  std::vector<double> gradients(packed.parameters().gradients().size());
  struct Document {
    int first, length;
  };
  for (const auto& [first, length] : {Document{0, 3}, Document{3, 1}, Document{4, 4}}) {
    ModelConfig alone = config;
    alone.context = length;
    alone.separator = -1;
    Transformer<double> model(alone, 5, LayerPlan{}, 7);
    const auto part = [&](const std::vector<std::uint16_t>& tokens) {
      return std::span(tokens).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(length));
    };
    total += length * model.forward(part(inputs), part(targets), 0);
    model.backward(length / 8.0);
    for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] += model.parameters().gradients()[i];
  }
  CHECK(loss == doctest::Approx(total / 8).epsilon(1e-12));
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    CHECK(packed.parameters().gradients()[i] == doctest::Approx(gradients[i]).epsilon(1e-9));
  }
  config.separator = -1;
  CHECK(std::abs(Transformer<double>(config, 5, LayerPlan{}, 7).forward(inputs, targets, 0) - loss) > 1e-4);
}

TEST_CASE("transformer: float32 and double agree on loss and gradient to float32's accuracy") {
  Transformer<float> narrow(kTiny, 5, LayerPlan{}, 7);
  Transformer<double> wide(kTiny, 5, LayerPlan{}, 7);
  std::copy(narrow.parameters().values().begin(), narrow.parameters().values().end(),
            wide.parameters().values().begin());
  CHECK(narrow.forward(kInputs, kTargets, 0) == doctest::Approx(wide.forward(kInputs, kTargets, 0)).epsilon(1e-6));
  narrow.backward();
  wide.backward();
  for (std::size_t i = 0; i < wide.parameters().gradients().size(); ++i) {
    CHECK(std::abs(narrow.parameters().gradients()[i] - wide.parameters().gradients()[i]) <
          2e-6);  // sums of ~100 terms of size <= 1
  }
}

TEST_CASE("transformer: what is predicted at earlier positions does not depend on a later token") {
  // Token 4 stands only at the last position, so the losses of the first three must not reach its embedding.
  const std::vector<std::uint16_t> inputs{0, 1, 2, 4};
  const auto embedding_gradients = [&](const std::vector<std::uint16_t>& targets) {
    Transformer<double> model(kTiny, 5, LayerPlan{}, 1);
    model.forward(inputs, targets, 0);
    model.backward();
    const double* row = model.parameters().gradients().data();  // the embedding is the first parameter, [5, 8]
    return std::pair(std::vector<double>(row, row + 8), std::vector<double>(row + 4 * 8, row + 5 * 8));
  };
  const auto [first_a, last_a] = embedding_gradients({1, 1, 1, 2});
  const auto [first_b, last_b] = embedding_gradients({3, 0, 2, 2});
  CHECK(last_a == last_b);
  CHECK(first_a != first_b);
}

TEST_CASE("transformer: initial loss is near ln V, for the head starts small") {
  const ModelConfig config{.layers = 2, .width = 64, .heads = 2, .kv_heads = 2, .context = 4};
  Transformer<float> model(config, 256, LayerPlan{}, 3);
  CHECK(model.forward(kInputs, kTargets, 0) == doctest::Approx(std::log(256.0)).epsilon(0.02));
}

TEST_CASE("transformer: the parameter counts are those of the layout") {
  const ModelConfig config{.layers = 3, .width = 48, .heads = 4, .kv_heads = 2, .ffn = 0, .context = 16};
  const Transformer<float> model(config, 100, LayerPlan{}, 0);
  std::int64_t all = 0, outside_blocks = 0;
  for (const Parameter& p : model.parameters().layout()) {
    all += p.size();
    if (p.name == "embedding" || p.name == "head") outside_blocks += p.size();
  }
  CHECK(total_parameter_count(config, 100) == all);
  CHECK(parameter_count(config) == all - outside_blocks);
  // By hand: qkv 48 (48 + 2 24), out 48 48, SwiGLU 3 48 128, two norms; three blocks; the last norm.
  ModelConfig tied = config;
  tied.tied_head = true;
  CHECK(parameter_count(tied) == parameter_count(config));
  CHECK(total_parameter_count(tied, 100) == all - 100 * 48);
  CHECK(parameter_count(config) == 3 * (48 * 96 + 48 * 48 + 3 * 48 * 128 + 2 * 48) + 48);
}
