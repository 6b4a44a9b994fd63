#include "simulators/optim/optimizer.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <numbers>

#include "core/block/block_presets.h"
#include "core/format/catalog.h"
#include "simulators/optim/adamw.h"
#include "simulators/optim/stable_spam.h"

using namespace bitlaw;

namespace {

/// Parameters that all start with one value.
ParameterSet<float> parameters_of(const std::vector<std::string>& names, std::int64_t rows, std::int64_t cols,
                                  double value) {
  ParameterSet<float> set;
  for (const std::string& name : names) set.add(name, rows, cols, 0, value);
  set.initialise(1);
  return set;
}

void fill_gradient(ParameterSet<float>& set, float value) {
  std::fill(set.gradients().begin(), set.gradients().end(), value);
}

bool is_bfloat16(float value) { return (std::bit_cast<std::uint32_t>(value) & 0xFFFFU) == 0; }

}  // namespace

TEST_CASE("sgd: at critical damping, momentum on a parabola follows (1 + b k) r^k") {
  // p' = (1 + mu - rate h) p - mu p_before has the double root r = 1 - sqrt(rate h) where mu = r^2.
  const double rate = 0.04, curvature = 1.0, root = 1 - std::sqrt(rate * curvature);
  auto set = parameters_of({"w"}, 2, 2, 1.0);
  Optimizer optimizer({.kind = OptimizerKind::Sgd, .weight_decay = 0, .momentum = root * root, .nesterov = false},
                      set.layout(), 0);
  const double slope = (1 - rate * curvature) / root - 1;  // so that the first step, p1 = 1 - rate h, fits
  for (int k = 1; k <= 40; ++k) {
    fill_gradient(set, static_cast<float>(curvature) * set.values()[0]);
    optimizer.update(set, rate, 1.0, k - 1);
    CHECK(static_cast<double>(set.values()[3]) == doctest::Approx((1 + slope * k) * std::pow(root, k)).epsilon(1e-5));
  }
}

TEST_CASE("sgd: two steps of Nesterov's momentum, by hand; L2 adds to the gradient of matrices") {
  auto set = parameters_of({"w"}, 2, 1, 0.0);
  Optimizer optimizer({.kind = OptimizerKind::Sgd, .weight_decay = 0.5, .momentum = 0.5}, set.layout(), 0);
  fill_gradient(set, 1.0F);
  optimizer.update(set, 0.1, 1.0, 0);  // m = 1, step 1 + 0.5
  CHECK(set.values()[0] == doctest::Approx(-0.15));
  fill_gradient(set, 4.0F);
  optimizer.update(set, 0.1, 0.5, 1);  // g = 2 - 0.075, m = 2.425, step g + m / 2
  CHECK(set.values()[0] == doctest::Approx(-0.15 - 0.1 * (1.925 + 1.2125)));
}

TEST_CASE("adam: L2 decides the sign of the first step, which decoupled decay cannot") {
  const auto moved = [](OptimizerKind kind) {
    auto set = parameters_of({"w"}, 2, 1, 2.0);
    Optimizer optimizer({.kind = kind, .weight_decay = 0.1}, set.layout(), 0);
    fill_gradient(set, -0.1F);
    optimizer.update(set, 0.01, 1.0, 0);
    return static_cast<double>(set.values()[0]) - 2.0;
  };
  CHECK(moved(OptimizerKind::Adam) == doctest::Approx(-0.01).epsilon(1e-4));  // of -0.1 + 0.1 * 2
  CHECK(moved(OptimizerKind::AdamW) == doctest::Approx(0.01 - 0.01 * 0.2).epsilon(1e-4));
}

TEST_CASE("stable_spam: a spike is clipped to the followed maximum and scaled to the followed norm, by hand") {
  const StableSpamConfig config{.gamma1 = 0.5, .gamma2 = 0.5, .gamma3 = 0.5};
  SpikeStatistics statistics;
  std::vector<float> g{3.0F, -4.0F};
  calm_gradient(config, 0, statistics, g);  // means without bias are what they follow: the norm becomes 1
  CHECK(g[0] == doctest::Approx(0.6));
  CHECK(g[1] == doctest::Approx(-0.8));
  g = {30.0F, -40.0F};
  calm_gradient(config, 1, statistics, g);
  // largest = (2 + 40 / 2) / 0.75 = 28, so g = (21, -28) with norm 35; norm^ = (1.25 + 17.5) / 0.75 = 25,
  // square^ = (6.25 + 612.5) / 0.75 = 825.
  CHECK(statistics.largest == 21.0F);
  CHECK(g[0] == doctest::Approx(0.6 * 25 / std::sqrt(825)));
  CHECK(g[1] == doctest::Approx(-0.8 * 25 / std::sqrt(825)));
  std::vector<float> zeros(2);
  calm_gradient(config, 2, statistics, zeros);
  CHECK(zeros == std::vector<float>{0.0F, 0.0F});
}

TEST_CASE(
    "stable_spam: after a reset of the momentum the step is a first one, against the gradient's sign by the rate") {
  auto set = parameters_of({"b"}, 1, 1, 0.0);
  Optimizer optimizer({.kind = OptimizerKind::StableSpam, .stable_spam = {.reset_every = 3}}, set.layout(), 0);
  for (int step = 0; step < 3; ++step) {
    fill_gradient(set, 1.0F);
    optimizer.update(set, 0.1, 1.0, step);
  }
  const float before = set.values()[0];
  fill_gradient(set, -1.0F);
  optimizer.update(set, 0.1, 1.0, 3);
  CHECK(set.values()[0] - before == doctest::Approx(0.1));
}

TEST_CASE("muon: Newton-Schulz keeps the singular vectors and takes each singular value through the quintic") {
  const auto through = [](double s) {
    for (int i = 0; i < 5; ++i) s = 3.4445 * s - 4.7750 * std::pow(s, 3) + 2.0315 * std::pow(s, 5);
    return s;
  };
  const double a = 0.7, b = -1.9, s0 = 3.0, s1 = 0.04;  // x = R(a) [diag(s0, s1) R(b)^T, 0]
  const double norm = std::hypot(s0, s1);
  const auto element = [&](int i, int j, double d0, double d1) {
    const double u0 = i == 0 ? std::cos(a) : std::sin(a), u1 = i == 0 ? -std::sin(a) : std::cos(a);
    const double v0 = j == 0 ? std::cos(b) : std::sin(b), v1 = j == 0 ? -std::sin(b) : std::cos(b);
    return u0 * d0 * v0 + u1 * d1 * v1;
  };
  Matrix<float> wide(2, 3), tall(3, 2);
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 2; ++j) wide.view()(i, j) = tall.view()(j, i) = static_cast<float>(element(i, j, s0, s1));
  }
  MuonScratch scratch;
  orthogonalise(wide.view(), scratch);
  orthogonalise(tall.view(), scratch);
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 2; ++j) {
      const double expected = element(i, j, through(s0 / norm), through(s1 / norm));
      CHECK(wide.view()(i, j) == doctest::Approx(expected).epsilon(1e-4));
      CHECK(tall.view()(j, i) == doctest::Approx(expected).epsilon(1e-4));
    }
    CHECK(wide.view()(i, 2) == 0.0F);
  }
  for (double s = 0.002; s <= 1; s *= 1.001) {
    CHECK(through(s) > 0.68);
    CHECK(through(s) < 1.21);
  }
}

TEST_CASE("muon: scaled as published; embedding, head and vectors take AdamW's steps") {
  const auto first_step = [](const std::string& name, std::int64_t rows, std::int64_t cols, MuonScale scale) {
    auto set = parameters_of({name}, rows, cols, 0.0);
    Optimizer optimizer({.kind = OptimizerKind::Muon, .muon_scale = scale, .adam_rate = 0.5}, set.layout(), 0);
    set.gradients()[0] = 2.0F;  // one singular value: the update is that element alone
    optimizer.update(set, 0.1, 1.0, 0);
    return static_cast<double>(set.values()[0]);
  };
  double one = 1;  // what the quintic makes of a single singular value
  for (int i = 0; i < 5; ++i) one = 3.4445 * one - 4.7750 * std::pow(one, 3) + 2.0315 * std::pow(one, 5);
  CHECK(first_step("w", 16, 4, MuonScale::Adam) == doctest::Approx(-0.1 * 0.2 * 4 * one).epsilon(1e-4));
  CHECK(first_step("w", 16, 4, MuonScale::Spectral) == doctest::Approx(-0.1 * 2 * one).epsilon(1e-4));
  CHECK(first_step("w", 4, 16, MuonScale::Spectral) == doctest::Approx(-0.1 * one).epsilon(1e-4));
  for (const char* name : {"embedding", "head"}) {
    CHECK(first_step(name, 16, 4, MuonScale::Adam) == doctest::Approx(-0.05).epsilon(1e-4));
  }
  CHECK(first_step("norm", 1, 4, MuonScale::Adam) == doctest::Approx(-0.05).epsilon(1e-4));
}

TEST_CASE("weights: kept in bfloat16, small steps are lost to rounding to nearest and not to stochastic rounding") {
  const auto mean_after = [](RoundingMode mode) {
    auto set = parameters_of({"w"}, 64, 64, 1.0);
    OptimizerConfig config{.kind = OptimizerKind::Sgd, .weight_decay = 0, .momentum = 0};
    config.weights = {.name = "bfloat16", .element = kBfloat16, .block = {}, .rounding = mode};
    Optimizer optimizer(config, set.layout(), 7);
    for (int step = 0; step < 50; ++step) {
      fill_gradient(set, 1.0F);
      optimizer.update(set, 1e-4, 1.0, step);  // a step of bfloat16 below 1 is 2^-8
    }
    double sum = 0;
    for (const float v : set.values()) {
      CHECK(is_bfloat16(v));
      CHECK(v >= 1.0F - 12 * 0x1p-8F);  // of 50 steps, each taken with the chance 0.0256: new random bits every time
      sum += static_cast<double>(v);
    }
    return sum / static_cast<double>(set.values().size());
  };
  CHECK(mean_after(RoundingMode::TiesToEven) == 1.0);
  // Each of 50 steps adds (2^-8)^2 0.0256 of variance: six deviations of the mean of 4096 are 0.0004.
  CHECK(std::abs(mean_after(RoundingMode::StochasticExact) - 0.995) < 0.0004);
}

TEST_CASE("mean of the weights: begins with them and follows by its decay, whatever the optimizer") {
  for (const auto& kind : kOptimizerKindNames) {
    CAPTURE(kind.name);
    auto set = parameters_of({"w"}, 2, 2, 1.0);
    Optimizer optimizer({.kind = kind.value, .weight_decay = 0, .mean_decay = 0.75}, set.layout(), 0);
    optimizer.store_weights(set, 0);
    double expected = 1;
    for (int step = 0; step < 5; ++step) {
      fill_gradient(set, 1.0F);
      optimizer.update(set, 0.1, 1.0, step);
      expected = 0.75 * expected + 0.25 * static_cast<double>(set.values()[0]);
      CHECK(optimizer.means()[0] == doctest::Approx(expected).epsilon(1e-6));
    }
    CHECK(expected > static_cast<double>(set.values()[0]) + 0.01);  // it lags
  }
}

TEST_CASE("moments: kept in their formats after every update") {
  auto set = parameters_of({"w"}, 4, 64, 1.0);
  OptimizerConfig config;
  config.moment1 = {.name = "mxfp8", .element = {}, .block = block_preset("mxfp8")};
  config.moment2 = {.name = "bfloat16", .element = kBfloat16};
  Optimizer optimizer(config, set.layout(), 0);
  for (std::size_t i = 0; i < set.gradients().size(); ++i)
    set.gradients()[i] = std::ldexp(1.1F, static_cast<int>(i % 64) - 32);
  optimizer.update(set, 1e-3, 1.0, 0);
  const std::vector<float>&m = optimizer.state()[0].values, &v = optimizer.state()[1].values;
  // In a block of 32, all that lies 2^18 below the largest is zero in E4M3 (448 to 2^-9); 0.1 * 1.1 2^k is 1.75
  // 2^(k-4).
  CHECK(m[31] == 1.75F * 0x1p-5F);
  CHECK(m[0] == 0.0F);
  for (const float value : v) CHECK(is_bfloat16(value));
  CHECK(v[40] > 0.0F);
}
