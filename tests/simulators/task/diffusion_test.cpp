#include "simulators/task/diffusion.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "simulators/task/gaussian_classes.h"
#include "simulators/task/normal.h"
#include "tests/support/long_test.h"

using namespace bitlaw;

namespace {

struct Moments {
  double mean[2] = {}, square = 0;
};

Moments moments_of(Density density, int points) {
  Matrix<float> x(points, 2);
  draw_points(density, training_stream(3, 0, kLabelSlot), training_stream(3, 0, kFeatureSlot), x.view());
  Moments m;
  for (int r = 0; r < points; ++r) {
    for (int i = 0; i < 2; ++i) {
      m.mean[i] += static_cast<double>(x(r, i)) / points;
      m.square += static_cast<double>(x(r, i)) * static_cast<double>(x(r, i)) / points;
    }
  }
  return m;
}

double train_and_evaluate(DiffusionTask& task, int steps, float rate) {
  std::vector<float> velocity(task.parameters().values().size());
  for (int s = 0; s < steps; ++s) {
    task.forward(s);
    task.backward(1);
    const float now = rate * (1 - static_cast<float>(s) / static_cast<float>(steps));
    for (std::size_t i = 0; i < velocity.size(); ++i) {
      velocity[i] = 0.9F * velocity[i] + task.parameters().gradients()[i];
      task.parameters().values()[i] -= now * velocity[i];
    }
  }
  return task.evaluate(steps).loss;
}

}  // namespace

TEST_CASE(
    "noise_levels: the linear schedule is the product of Ho et al., the cosine one starts and ends as published") {
  const NoiseLevels linear = noise_levels(NoiseSchedule::Linear, 1000);
  double kept = 1;
  for (int t = 0; t < 1000; ++t) kept *= 1 - (1e-4 + (0.02 - 1e-4) * t / 999);
  CHECK(linear.signal[0] == doctest::Approx(std::sqrt(1 - 1e-4)).epsilon(1e-12));
  CHECK(linear.signal[999] == doctest::Approx(std::sqrt(kept)).epsilon(1e-9));
  CHECK(kept == doctest::Approx(4.0e-5).epsilon(0.02));  // as good as no signal, their §4
  const NoiseLevels cosine = noise_levels(NoiseSchedule::Cosine, 100);
  const double f = std::cos(std::numbers::pi / 2 * 0.508 / 1.008), f0 = std::cos(std::numbers::pi / 2 * 0.008 / 1.008);
  CHECK(cosine.signal[49] == doctest::Approx(f / f0).epsilon(1e-12));
  CHECK(cosine.signal[99] < 1e-8);
  for (const NoiseLevels* levels : {&linear, &cosine}) {
    for (std::size_t t = 0; t < levels->signal.size(); ++t) {
      const double a = levels->signal[t], s = levels->noise[t];
      CHECK(a * a + s * s == doctest::Approx(1).epsilon(1e-12));
    }
  }
}

TEST_CASE("densities: means and mean squares are those of the curves' integrals") {
  constexpr int kPoints = 1 << 16;
  constexpr double kNoise = 0.02;           // mean square of the noise on two coordinates of deviation 0.1
  constexpr double kTolerance = 5.0 / 256;  // five standard errors of a mean of numbers of deviation <= 1
  const double pi = std::numbers::pi;
  const double moons = 1 + 0.25 + 0.0625 - 0.5 * 2 / pi + kNoise;  // |(cos, sin) - (1/2, 1/4)|^2 over half a circle
  const double roll = (std::pow(4.5, 3) - std::pow(1.5, 3)) / 3 / 3 / 9 + kNoise;  // of phi^2 / (3 pi)^2
  struct Expected {
    Density density;
    double square;
  };
  for (const Expected& expected :
       {Expected{Density::Mixture, 2 + kNoise}, {Density::TwoMoons, moons}, {Density::SwissRoll, roll}}) {
    CAPTURE(static_cast<int>(expected.density));
    const Moments m = moments_of(expected.density, kPoints);
    CHECK(std::abs(m.square - expected.square) < kTolerance);
    if (expected.density != Density::SwissRoll) {
      CHECK(std::abs(m.mean[0]) < kTolerance);
      CHECK(std::abs(m.mean[1]) < kTolerance);
    }
  }
}

TEST_CASE("mixture_score: is the gradient of the logarithm of the diffused density") {
  const double a = 0.8, s = 0.6, h = 1e-5;
  const auto log_density = [&](double x, double y) {
    double density = 0;
    for (int k = 0; k < 8; ++k) {
      const double dx = x - a * std::sqrt(2) * std::cos(std::numbers::pi / 4 * k);
      const double dy = y - a * std::sqrt(2) * std::sin(std::numbers::pi / 4 * k);
      density += std::exp(-(dx * dx + dy * dy) / 2 / (0.0064 + 0.36));
    }
    return std::log(density);
  };
  const auto score = mixture_score(a, s, {0.7, -0.4});
  CHECK(score[0] == doctest::Approx((log_density(0.7 + h, -0.4) - log_density(0.7 - h, -0.4)) / (2 * h)).epsilon(1e-6));
  CHECK(score[1] == doctest::Approx((log_density(0.7, -0.4 + h) - log_density(0.7, -0.4 - h)) / (2 * h)).epsilon(1e-6));
}

TEST_CASE("diffusion: the mixture's score has the least loss on the task's own batches") {
  for (const NoiseSchedule schedule : {NoiseSchedule::Cosine, NoiseSchedule::Linear}) {
    const DiffusionConfig config{.schedule = schedule, .times = 50};
    const NoiseLevels levels = noise_levels(schedule, config.times);
    DiffusionTask task(config, nullptr, diffusion_shapes(2, 0, 0, 4096), LayerPlan{}, 4096, 4096, 1);
    double sum = 0, squares = 0;
    int points = 0;
    for (int step = 0; step < 8; ++step) {
      task.forward(step);
      for (std::int64_t r = 0; r < 4096; ++r, ++points) {
        const auto t = static_cast<std::size_t>(task.times()[static_cast<std::size_t>(r)] - 1);
        const auto score = mixture_score(levels.signal[t], levels.noise[t], {task.inputs()(r, 0), task.inputs()(r, 1)});
        double loss = 0;
        for (int i = 0; i < 2; ++i) {
          const double error =
              static_cast<double>(task.noise()(r, i)) + levels.noise[t] * score[static_cast<std::size_t>(i)];
          loss += error * error / 2;
        }
        sum += loss;
        squares += loss * loss;
      }
    }
    const double mean = sum / points, deviation = std::sqrt((squares / points - mean * mean) / points);
    CAPTURE(mean);
    CHECK(std::abs(mean - least_denoising_loss(levels)) < 4 * deviation);
    CHECK(deviation < 0.02 * mean);
  }
}

TEST_CASE("diffusion: training comes from the loss of zeros down to near the least and stays above" *
          BITLAW_LONG_TEST) {
  const DiffusionConfig config{.times = 50};
  DiffusionTask task(config, nullptr, diffusion_shapes(2, 2, 64, 256), LayerPlan{}, 256, 1 << 14, 1);
  const double before = task.evaluate(0).loss;
  CHECK(before == doctest::Approx(1).epsilon(5 / std::sqrt(1 << 14)));  // |eps|^2 / 2 has mean and deviation 1
  const double least = least_denoising_loss(noise_levels(config.schedule, config.times));
  const double loss = train_and_evaluate(task, 2000, 0.3F);
  CHECK(loss > 0.97 * least);
  CHECK(loss < 1.12 * least);
}

// Images of standard normal pixels: x_t is normal, too, so E[eps | x_t] = s x_t, whose error has the variance 1 - s^2.
TEST_CASE("diffusion: on images the best prediction has the loss of the closed form, and training comes down to it" *
          BITLAW_LONG_TEST) {
  const DiffusionConfig config{.density = Density::Images, .times = 50};
  const NoiseLevels levels = noise_levels(config.schedule, config.times);
  double least = 0;
  for (const double a : levels.signal) least += a * a / 50;
  const GaussianClasses images(4, 3, /*separation=*/0);
  DiffusionTask task(config, &images, diffusion_shapes(16, 2, 96, 256), LayerPlan{}, 256, 1 << 13, 1);
  double sum = 0;
  constexpr int kSteps = 64;
  for (int step = 0; step < kSteps; ++step) {
    task.forward(step);
    for (std::int64_t r = 0; r < 256; ++r) {
      const double s = levels.noise[static_cast<std::size_t>(task.times()[static_cast<std::size_t>(r)] - 1)];
      for (std::int64_t i = 0; i < 16; ++i) {
        const double error = static_cast<double>(task.noise()(r, i)) - s * static_cast<double>(task.inputs()(r, i));
        sum += error * error / (kSteps * 256 * 16);
      }
    }
  }
  // Of 2^14 images; the variance of a^2 over the times and of 16 squares is below 1/4: five standard errors.
  CHECK(std::abs(sum - least) < 5 * 0.5 / 128);
  CHECK(task.evaluate(0).loss == doctest::Approx(1).epsilon(0.02));  // the head starts at zero
  const double loss = train_and_evaluate(task, 1500, 0.3F);
  CHECK(loss > 0.97 * least);
  CHECK(loss < 1.1 * least);
}
