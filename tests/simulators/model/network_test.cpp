#include <doctest/doctest.h>

#include <algorithm>

#include "simulators/model/convnet.h"
#include "simulators/model/mlp.h"
#include "simulators/nn/squared_error.h"
#include "tests/support/gradient_check.h"

using namespace bitlaw;

namespace {

/// Half the squared error against rough targets, and every derivative against central differences.
void check_network(Network<double>& network, std::int64_t rows, std::int64_t inputs, std::int64_t outputs) {
  std::vector<double> x = rough_values(rows * inputs, 1), targets = rough_values(rows * outputs, 2);
  // Not those that the network starts from: its last layer and biases are zero.
  const std::vector<double> values = rough_values(std::ssize(network.parameters().values()), 3);
  std::ranges::copy(values, network.parameters().values().begin());
  MatrixView<double> y;
  const auto loss = [&] {
    y = network.forward({x.data(), rows, inputs}, 0);
    return squared_error<double>(y, {targets.data(), rows, outputs}) / 2;
  };
  loss();
  network.backward(y);
  const std::vector<double> analytic(network.parameters().gradients().begin(), network.parameters().gradients().end());
  check_gradient(network.parameters().values(), analytic, loss);
}

}  // namespace

TEST_CASE("mlp: backward agrees with finite differences in every parameter, for each activation") {
  for (const auto& row : kActivationNames) {
    CAPTURE(row.name);
    Mlp<double> network(mlp_shapes(5, 3, 2, 6, 4), row.value, Bias::Learned, LayerPlan{}, 1);
    check_network(network, 5, 3, 4);
  }
}

TEST_CASE("mlp: without hidden layers and bias, the gradient is that of linear regression") {
  Mlp<double> network(mlp_shapes(2, 3, 0, 0, 1), Activation::Relu, Bias::None, LayerPlan{}, 1);
  const std::vector<double> x{1, 2, 3, 4, 5, 6}, w{1, -1, 0.5}, dy{0.5, -2};
  std::ranges::copy(w, network.parameters().values().begin());
  const MatrixView<double> y = network.forward({x.data(), 2, 3}, 0);
  CHECK(y(0, 0) == 0.5);
  CHECK(y(1, 0) == 2);
  network.backward({dy.data(), 2, 1});
  const std::vector<double> expected{0.5 * 1 - 2 * 4, 0.5 * 2 - 2 * 5, 0.5 * 3 - 2 * 6};
  CHECK(std::ranges::equal(network.parameters().gradients(), expected));
}

TEST_CASE("mlp: the counts are those of the layout, and by hand") {
  const auto shapes = mlp_shapes(16, 10, 3, 32, 5);
  const LayerCounts counts = count_layers(shapes, Bias::Learned);
  CHECK(counts.params == (10 * 32 + 32) + 2 * (32 * 32 + 32));
  CHECK(counts.params_total == counts.params + 32 * 5 + 5);
  CHECK(counts.forward_flops == 16 * 2.0 * (10 * 32 + 2 * 32 * 32 + 32 * 5));
  Mlp<float> network(shapes, Activation::Relu, Bias::Learned, LayerPlan{}, 1);
  CHECK(std::ssize(network.parameters().values()) == counts.params_total);
}

TEST_CASE("convnet: backward agrees with finite differences in every parameter, for each activation") {
  const ImageShape image{.height = 5, .width = 4, .channels = 2};
  for (const auto& row : kActivationNames) {
    CAPTURE(row.name);
    ConvNet<double> network(convnet_shapes(2, image, 2, 3, 4), image, row.value, LayerPlan{}, 1);
    check_network(network, 2, image.size(), 4);
  }
}

TEST_CASE("convnet: the counts are those of the layout, and by hand") {
  const ImageShape image{.height = 28, .width = 28, .channels = 1};
  const auto shapes = convnet_shapes(8, image, 2, 16, 10);
  const LayerCounts counts = count_layers(shapes, Bias::Learned);
  CHECK(counts.params == (9 * 16 + 16) + (9 * 16 * 32 + 32));
  CHECK(counts.params_total == counts.params + 7 * 7 * 32 * 10 + 10);
  CHECK(counts.forward_flops == 8 * 2.0 * (28 * 28 * 9 * 16 + 14 * 14 * 9 * 16 * 32 + 7 * 7 * 32 * 10));
  ConvNet<float> network(shapes, image, Activation::Relu, LayerPlan{}, 1);
  CHECK(std::ssize(network.parameters().values()) == counts.params_total);
  CHECK(most_stages(image) == 4);  // 28, 14, 7, 3, 1
}
