#include "simulators/task/regression.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/math/special_functions/zeta.hpp>
#include <cmath>

#include "core/block/block_presets.h"
#include "simulators/task/normal.h"

using namespace bitlaw;

namespace {

constexpr RegressionConfig kPower{
    .kind = RegressionConfig::Kind::PowerLaw, .alpha = 0.5, .beta = 0.75, .noise = 0, .outputs = 1};

/// E[loss] after each number of steps of w -= rate * gradient from zero on fresh normal batches of B, exactly. With
/// p_i = E[(w_i - w*_i)^2] and s^2 = the variance that the features do not explain, normal x with covariance
/// diag(lambda) give (fourth moments of Isserlis' theorem; Bordelon and Pehlevan 2021, arXiv:2106.02713, §3)
///   p_i <- (1 - rate lambda_i)^2 p_i + rate^2 / B (lambda_i^2 p_i + lambda_i (sum_j lambda_j p_j + s^2)).
class ExpectedDescent {
 public:
  ExpectedDescent(const RegressionConfig& c, int features) : unseen_(2 * least_regression_loss(c, features)) {
    for (int i = 1; i <= features; ++i) {
      lambda_.push_back(std::pow(i, -1 - c.alpha));
      p_.push_back(std::pow(i, -1 - c.beta) / lambda_.back());
    }
  }
  double loss() const { return (excess() + unseen_) / 2; }
  void step(double rate, double batch) {
    const double all = excess() + unseen_;
    for (std::size_t i = 0; i < p_.size(); ++i) {
      const double l = lambda_[i], kept = 1 - rate * l;
      p_[i] = kept * kept * p_[i] + rate * rate / batch * l * (l * p_[i] + all);
    }
  }

 private:
  double excess() const {
    double sum = 0;
    for (std::size_t i = 0; i < p_.size(); ++i) sum += lambda_[i] * p_[i];
    return sum;
  }
  double unseen_;
  std::vector<double> lambda_, p_;
};

double descend(RegressionTask& task, float rate, std::int64_t steps) {
  for (std::int64_t s = 0; s < steps; ++s) {
    task.forward(s);
    task.backward(1);
    for (std::size_t i = 0; i < task.parameters().values().size(); ++i) {
      task.parameters().values()[i] -= rate * task.parameters().gradients()[i];
    }
  }
  return task.evaluate(steps).loss;
}

double slope(double x0, double y0, double x1, double y1) { return std::log(y1 / y0) / std::log(x1 / x0); }

}  // namespace

TEST_CASE("normal: the moments are those of the normal distribution, and Box and Muller's formula in double agrees") {
  const RandomStream stream{.seed = 5, .step = 3, .layer = 1, .slot = kFeatureSlot};
  std::vector<float> z(1 << 20);
  fill_normal(stream, z);
  double moments[5] = {};
  for (const float v : z) {
    for (int k = 1; k <= 4; ++k) moments[k] += std::pow(static_cast<double>(v), k) / static_cast<double>(z.size());
  }
  // Standard errors of the four means: sqrt(1, 2, 15, 96) / 1024; five of them have a false-alarm rate of 6e-7.
  CHECK(std::abs(moments[1]) < 5 * std::sqrt(1.0) / 1024);
  CHECK(std::abs(moments[2] - 1) < 5 * std::sqrt(2.0) / 1024);
  CHECK(std::abs(moments[3]) < 5 * std::sqrt(15.0) / 1024);
  CHECK(std::abs(moments[4] - 3) < 5 * std::sqrt(96.0) / 1024);
  double worst = 0;
  for (std::uint64_t j = 0; j < 4096; ++j) {
    const double u = ((random_bits(stream, 2 * j) >> 9) + 0.5) * 0x1p-23;
    const double turn = 2 * 3.14159265358979323846 * (random_bits(stream, 2 * j + 1) >> 8) * 0x1p-24;
    const double r = std::sqrt(-2 * std::log(u));
    worst = std::max(worst, std::abs(z[2 * j] - r * std::cos(turn)));
    worst = std::max(worst, std::abs(z[2 * j + 1] - r * std::sin(turn)));
  }
  CHECK(worst < 1e-6);
}

TEST_CASE("power_tail: is the zeta function without its first terms") {
  for (const double s : {1.1, 1.75, 3.0}) {
    CAPTURE(s);
    double rest = boost::math::zeta(s);
    CHECK(power_tail(s, 0) == doctest::Approx(rest).epsilon(1e-12));
    for (int i = 1; i <= 100; ++i) rest -= std::pow(i, -s);
    CHECK(power_tail(s, 100) == doctest::Approx(rest).epsilon(1e-9));  // what cancels above leaves fewer digits
  }
}

TEST_CASE("regression: gradient descent's loss is the one that the fourth moments of normal numbers predict") {
  for (const RegressionConfig::Kind kind : {RegressionConfig::Kind::PowerLaw, RegressionConfig::Kind::Gaussian}) {
    RegressionConfig config = kPower;
    config.kind = kind;
    config.noise = 0.1;
    config.outputs = 8;  // eight regressions on the same features at once
    const bool power = kind == RegressionConfig::Kind::PowerLaw;
    const int features = 24, batch = 8, steps = 60;
    const float rate = power ? 0.3F : 0.05F;
    RegressionConfig theory = config;
    if (!power) theory.alpha = theory.beta = -1;  // all lambda_i = 1 and all e_i = 1, over N below
    double measured = 0, expected = 0;
    const int seeds = 12;
    for (int seed = 0; seed < seeds; ++seed) {
      RegressionTask task(config, features, LayerPlan{}, batch, 4096, static_cast<std::uint64_t>(seed));
      measured += descend(task, rate * 8, steps) / seeds;  // the loss is a mean over the outputs
    }
    if (power) {
      ExpectedDescent descent(theory, features);
      for (int s = 0; s < steps; ++s) descent.step(rate, batch);
      expected = descent.loss();
    } else {  // every p_i is the same p, and N p is the excess
      double excess = 1;
      for (int s = 0; s < steps; ++s) {
        const double r = rate, kept = 1 - r;
        excess = kept * kept * excess + r * r / batch * (excess + features * (excess + 0.01));
      }
      expected = (excess + 0.01) / 2;
    }
    CAPTURE(power);
    CHECK(measured ==
          doctest::Approx(expected).epsilon(0.05));  // scatter of 96 losses on 12 paths: about 1 % of the mean
  }
}

TEST_CASE("regression: the exponents of N and of D are beta and beta / (1 + alpha)") {
  const RegressionExponents theory = regression_exponents(kPower);
  CHECK(theory.model == 0.75);
  CHECK(theory.data == 0.5);
  // Exact expectations, whose local slopes approach the exponents as 1/N and as t^(-1/(1+alpha)).
  CHECK(-slope(64, least_regression_loss(kPower, 64), 256, least_regression_loss(kPower, 256)) ==
        doctest::Approx(theory.model).epsilon(0.01));
  ExpectedDescent descent(kPower, 2000);
  for (int s = 0; s < 256; ++s) descent.step(0.2, 32);
  const double early = descent.loss();
  for (int s = 256; s < 2048; ++s) descent.step(0.2, 32);
  CHECK(-slope(256, early, 2048, descent.loss()) == doctest::Approx(theory.data).epsilon(0.05));
}

TEST_CASE("regression: the held-out loss of the true weights is the least, and rounding raises it") {
  RegressionConfig config = kPower;
  config.noise = 0.2;
  RegressionTask task(config, 32, LayerPlan{}, 256, 256, 1);
  // The truth is +-sqrt(e_i / lambda_i); descent with many samples finds the signs.
  descend(task, 0.5F, 200);
  std::vector<float> truth;
  for (std::size_t i = 0; i < 32; ++i) {
    const double size = std::pow(static_cast<double>(i + 1), (config.alpha - config.beta) / 2);
    truth.push_back(static_cast<float>(std::copysign(size, task.parameters().values()[i])));
  }
  std::ranges::copy(truth, task.parameters().values().begin());
  const double least = least_regression_loss(config, 32);
  const double loss = task.evaluate(0).loss;
  CHECK(loss == doctest::Approx(least).epsilon(1e-6));  // float32 weights, whose products are not rounded

  Recipe recipe;
  for (SlotSpec& slot : recipe.base.slots) slot.block = block_preset("mxfp4");
  RegressionTask rounded(config, 32, LayerPlan(recipe, regression_shapes(config, 32, 256), 1), 256, 1 << 15, 1);
  std::ranges::copy(truth, rounded.parameters().values().begin());
  const double loss_rounded = rounded.evaluate(0).loss;
  CHECK(loss_rounded > 1.1 * loss);
  // The mean over training batches, which are other samples, agrees: five standard errors of 2^15 squares.
  double mean = 0;
  for (int step = 0; step < 128; ++step) mean += rounded.forward(step) / 128;
  CHECK(loss_rounded == doctest::Approx(mean).epsilon(5 * std::sqrt(2.0 / (1 << 15))));
}
