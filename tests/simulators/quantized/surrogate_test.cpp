#include "simulators/quantized/surrogate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "simulators/quantized/quantizer_backward.h"
#include "tests/support/bits.h"
#include "tests/support/gradient_check.h"

using namespace bitlaw;

namespace {

const std::vector<double> kE2m1Grid{-6, -4, -3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 6};

Surrogate surrogate(Estimator estimator, double parameter = 0) {
  return {{.estimator = estimator, .parameter = parameter}, kE2m1Grid};
}

constexpr Estimator kSmooth[]{Estimator::StraightThrough, Estimator::Clipped, Estimator::Power, Estimator::Sigmoid,
                              Estimator::Spline};

}  // namespace

TEST_CASE("surrogate: the grid is the format's values") {
  CHECK(element_grid(*block_preset("mxfp4")) == kE2m1Grid);
  CHECK(element_grid(*block_preset("int4_g32")).front() == -7);  // symmetric: -8 is left out
  CHECK(element_grid(*block_preset("int4_g32")).size() == 15);
}

TEST_CASE("surrogate: derivatives are those of the function") {
  for (const Estimator estimator : kSmooth) {
    const Surrogate f = surrogate(estimator);
    for (const double u : {-7.3, -5.61, -4.4, -2.83, -0.31, 0.07, 0.2, 0.66, 1.1, 1.91, 2.7, 3.8, 4.9, 6.5}) {
      CAPTURE(u);
      const double h = 1e-6, slope = (f.value(u + h) - f.value(u - h)) / (2 * h);
      if (estimator == Estimator::Power && slope > 3) {
        CHECK(f.derivative(u) == 3);  // its bound
      } else {
        CHECK(f.derivative(u) == doctest::Approx(slope).epsilon(1e-5));
      }
    }
  }
}

// By hand, in the bin from 2 to 3 with centre 2.5 and width 1.
TEST_CASE("surrogate: values by hand") {
  CHECK(surrogate(Estimator::Power).derivative(2.75) == doctest::Approx(0.2 * std::pow(0.5, -0.8)).epsilon(1e-12));
  CHECK(surrogate(Estimator::Power).value(2.75) == doctest::Approx(2.5 + 0.5 * std::pow(0.5, 0.2)).epsilon(1e-12));
  CHECK(surrogate(Estimator::Power, 2).derivative(2.75) == doctest::Approx(0.5 / std::sqrt(0.5)).epsilon(1e-12));
  CHECK(surrogate(Estimator::Sigmoid).derivative(2.5) == 24 * 0.25);  // 12 / T s (1 - s), T = 1/2, s = 1/2
  CHECK(surrogate(Estimator::Sigmoid, 2).derivative(2.5) == 6 * 0.25);
  // Four points -6, -2, 2, 6 of the range: between 2 and 6 the function goes from 2 to 6.
  CHECK(surrogate(Estimator::Spline, 4).derivative(2.5) == 1);
  // Seven points, -6, -4, ..., 6, all of the grid: the same slope everywhere.
  CHECK(surrogate(Estimator::Spline, 7).derivative(0.3) == 1);
  // The widest bin is 2, so an error above 1 is not trusted: 7.1 rounds to 6.
  CHECK(surrogate(Estimator::TrustMask).derivative(6.9) == 1);
  CHECK(surrogate(Estimator::TrustMask).derivative(7.1) == 0);
  CHECK(surrogate(Estimator::Clipped).derivative(6) == 1);
  CHECK(surrogate(Estimator::Clipped).derivative(6.001) == 0);
}

TEST_CASE("quantizer: the product with a block's Jacobian is that of x^ = S f(x / S), scale included") {
  const std::size_t n = 9;
  for (const Estimator estimator : {Estimator::Clipped, Estimator::Sigmoid, Estimator::Spline}) {
    for (const ScaleGradient through : {ScaleGradient::Absmax, ScaleGradient::Softmax}) {
      CAPTURE(static_cast<int>(estimator));
      CAPTURE(static_cast<int>(through));
      const GradientSpec spec{.estimator = estimator,
                              .parameter = estimator == Estimator::Sigmoid ? 3.0 : 0.0,
                              .scale = through,
                              .sharpness = 4};
      const Surrogate f(spec, kE2m1Grid);
      std::vector<double> x = rough_values(n, 11);
      const std::vector<double> weights = rough_values(n, 12);
      const double largest =
          std::abs(*std::max_element(x.begin(), x.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
      const double sharpness = 4 / largest;  // fixed, so that the objective is a smooth function of x
      const auto size = [&](const std::vector<double>& v) {
        double a = 0, sum = 0;
        for (const double e : v) a = std::max(a, std::abs(e));
        if (through == ScaleGradient::Absmax) return a;
        for (const double e : v) sum += std::exp(sharpness * std::abs(e));
        return std::log(sum) / sharpness;
      };
      const auto objective = [&] {
        const double s = size(x) / 5;  // the largest is clipped
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += weights[i] * s * f.value(x[i] / s);
        return sum;
      };
      std::vector<double> q(n), gradient = weights;
      const double s = size(x) / 5;
      for (std::size_t i = 0; i < n; ++i) q[i] = f.value(x[i] / s);
      block_backward(f, spec, s, 0.2, x, q, gradient);
      check_gradient(x, gradient, objective);
    }
  }
}

TEST_CASE(
    "quantizer: the derivative by a step or a share of the largest is that of x^ = S f(x / S) with S that p gives") {
  const std::size_t n = 9;
  for (const bool is_step : {true, false}) {
    for (const Estimator estimator : {Estimator::Clipped, Estimator::Sigmoid, Estimator::Spline}) {
      CAPTURE(is_step);
      CAPTURE(static_cast<int>(estimator));
      const GradientSpec spec{.estimator = estimator, .parameter = estimator == Estimator::Sigmoid ? 3.0 : 0.0};
      const Surrogate f(spec, kE2m1Grid);
      const std::vector<double> x = rough_values(n, 21), weights = rough_values(n, 22);
      double largest = 0;
      for (const double v : x) largest = std::max(largest, std::abs(v));
      std::vector<double> log_p{std::log(is_step ? 0.11 : 0.7)};  // of the nine values, some are clipped
      const auto scale = [&] { return std::exp(log_p[0]) * (is_step ? 1.0 : largest / 6); };
      const auto objective = [&] {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += weights[i] * scale() * f.value(x[i] / scale());
        return sum;
      };
      std::vector<double> q(n), g = weights;
      for (std::size_t i = 0; i < n; ++i) q[i] = f.value(x[i] / scale());
      const std::vector<double> analytic{scale() * block_backward(f, spec, scale(), 0, x, q, g)};
      check_gradient(log_p, analytic, objective);
    }
  }
}

TEST_CASE(
    "quantizer: parameters of groups learn by the derivative of x^ = S f(x / S), each from the blocks that it scales") {
  const std::int64_t rows = 3, cols = 8, across = 2;  // blocks of 4 along K
  const auto block_of = [&](std::int64_t i, std::int64_t j) { return static_cast<std::size_t>(i * across + j / 4); };
  for (const BlockStatistic statistic : {BlockStatistic::Step, BlockStatistic::ClipRatio}) {
    for (const Estimator estimator : {Estimator::Clipped, Estimator::Sigmoid}) {
      for (const std::size_t count : {std::size_t{6}, std::size_t{2}}) {  // one for each block, for each group along K
        CAPTURE(static_cast<int>(statistic));
        CAPTURE(static_cast<int>(estimator));
        CAPTURE(count);
        const GradientSpec gradient{.estimator = estimator, .parameter = estimator == Estimator::Sigmoid ? 3.0 : 0.0};
        const Surrogate f(gradient, kE2m1Grid);
        BlockSpec spec = *block_preset("mxfp4");
        spec.scale = std::nullopt;
        spec.rule = ScaleRule::Divide;
        spec.size = 4;
        spec.statistic = statistic;
        const Matrix<float> x = rough_matrix(rows, cols, 1, 1), g = rough_matrix(rows, cols, 2, 1);
        std::vector<float> amax(6);
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = 0; j < cols; ++j) {
            float& a = amax[block_of(i, j)];
            a = std::max(a, std::abs(x.view()(i, j)));
          }
        }
        std::vector<float> parameters;  // some elements are clipped
        for (std::size_t k = 0; k < count; ++k) {
          parameters.push_back((statistic == BlockStatistic::Step ? 0.1F : 0.5F) + 0.05F * static_cast<float>(k));
        }
        const auto restored = [&](std::span<const double> p, std::int64_t i, std::int64_t j) {
          const std::size_t b = block_of(i, j);
          const double s = p[b % count] * (statistic == BlockStatistic::Step ? 1.0 : static_cast<double>(amax[b]) / 6);
          return s * f.value(static_cast<double>(x.view()(i, j)) / s);
        };
        const auto objective = [&](std::span<const double> p) {
          double sum = 0;
          for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < cols; ++j) sum += static_cast<double>(g.view()(i, j)) * restored(p, i, j);
          }
          return sum;
        };
        const std::vector<double> p(parameters.begin(), parameters.end());
        Matrix<float> q(rows, cols), d = g;
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = 0; j < cols; ++j) q(i, j) = static_cast<float>(restored(p, i, j));
        }
        const std::vector<double> by_log = quantizer_backward(spec, gradient, KAxis::Cols, x.view(), q.view(), d.view(),
                                                              {.held_amax = {}, .parameters = parameters});
        REQUIRE(by_log.size() == count);
        for (std::size_t k = 0; k < count; ++k) {
          constexpr double h = 1e-5;
          std::vector<double> above = p, below = p;
          above[k] *= std::exp(h);
          below[k] *= std::exp(-h);
          CHECK(std::abs((objective(above) - objective(below)) / (2 * h) - by_log[k]) < 1e-6);  // q is float32
        }
      }
    }
  }
}

// arXiv:1902.08153, Eq. 3: round(v / s) - v / s within the range, -Q or Q beyond it.
TEST_CASE("quantizer: the gradient of a learned step is LSQ's") {
  BlockSpec spec = *block_preset("int4_g32");
  spec.statistic = BlockStatistic::Step;
  spec.parameter = 0.5;
  spec.shape = BlockShape::Tensor;
  const std::vector<float> x{0.3F, -1.1F, 9, -4};
  Matrix<float> q(1, 4), d(1, 4);
  const ConstMatrixView<float> view(x.data(), 1, 4);
  quantize_blocks(spec, {}, KAxis::Cols, view, q.view(), {});
  CHECK(q(0, 2) == 3.5F);
  const std::vector<double> by_s{1 - 0.6, -2 + 2.2, 7, -7};
  for (std::int64_t i = 0; i < 4; ++i) {
    std::fill_n(d.data(), 4, 0.0F);
    d(0, i) = 1;
    const double by_log =
        quantizer_backward(spec, {.estimator = Estimator::Clipped}, KAxis::Cols, view, q.view(), d.view())[0];
    CHECK(by_log == doctest::Approx(0.5 * by_s[static_cast<std::size_t>(i)]).epsilon(1e-6));
    CHECK(d(0, i) == (i < 2 ? 1.0F : 0.0F));
  }
}

TEST_CASE("quantizer: scaling a block scales what it becomes, so x . J^T g = x^ . g with the scale's gradient") {
  // Euler's theorem for functions of degree 1; power-of-two scales are not of that kind, float32 scales are.
  for (const char* preset : {"int4_g32", "fp8_channel", "fp8_128x128", "fp8_tensor"}) {
    CAPTURE(preset);
    const BlockSpec spec = *block_preset(preset);
    const Matrix<float> x = rough_matrix(40, 56, 1, 3), g = rough_matrix(40, 56, 2, 1);
    Matrix<float> quantized(40, 56), d = g;
    quantize_blocks(spec, {}, KAxis::Cols, x.view(), quantized.view(), {});
    quantizer_backward(spec, {.estimator = Estimator::Power, .scale = ScaleGradient::Absmax}, KAxis::Cols, x.view(),
                       quantized.view(), d.view());
    double left = 0, right = 0, size = 0;
    for (std::int64_t i = 0; i < x.size(); ++i) {
      left += static_cast<double>(x.data()[i]) * d.data()[i];
      right += static_cast<double>(quantized.data()[i]) * g.data()[i];
      size += std::abs(static_cast<double>(quantized.data()[i]) * g.data()[i]);
    }
    CHECK(std::abs(left - right) < 1e-6 * size);
  }
}
