#include "simulators/task/density.h"

#include <cmath>
#include <numbers>

#include "simulators/task/normal.h"

namespace bitlaw {
namespace {

constexpr double kRadius = std::numbers::sqrt2;

/// A point of the density's curve for two uniform numbers in [0, 1): which branch, and how far along it.
std::pair<float, float> curve(Density density, float branch, float along) {
  switch (density) {
    case Density::Mixture: {
      const auto [c, s] = cos_sin_turns(std::floor(along * kModes) / kModes);
      return {static_cast<float>(kRadius) * c, static_cast<float>(kRadius) * s};
    }
    case Density::TwoMoons: {
      const auto [c, s] = cos_sin_turns(along / 2);
      return branch < 0.5F ? std::pair(c - 0.5F, s - 0.25F) : std::pair(0.5F - c, 0.25F - s);
    }
    case Density::Images:
      break;
    case Density::SwissRoll: {
      const float turns = 0.75F + 1.5F * along;  // phi / 2 pi
      const auto [c, s] = cos_sin_turns(turns - std::floor(turns));
      return {turns * c * (2.0F / 3), turns * s * (2.0F / 3)};
    }
  }
  BITLAW_CHECK(false, "density {}", static_cast<int>(density));
}

std::array<double, 2> mode(int k) {
  const double turn = 2 * std::numbers::pi * k / kModes;
  return {kRadius * std::cos(turn), kRadius * std::sin(turn)};
}

}  // namespace

void draw_points(Density density, const RandomStream& choice, const RandomStream& noise, MatrixView<float> x) {
  BITLAW_CHECK(x.cols == 2 && x.stride == 2, "points [{}, {}]", x.rows, x.cols);
  fill_normal(noise, {x.data, static_cast<std::size_t>(x.size())});
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const auto element = 2 * static_cast<std::uint64_t>(r);
    const auto [u, v] = curve(density, random_uniform(choice, element), random_uniform(choice, element + 1));
    x(r, 0) = u + kDensityNoise * x(r, 0);
    x(r, 1) = v + kDensityNoise * x(r, 1);
  }
}

std::array<double, 2> mixture_score(double a, double s, std::array<double, 2> x) {
  const double noise = static_cast<double>(kDensityNoise), variance = a * a * noise * noise + s * s;
  double weight[kModes], total = 0;
  double nearest = 0;
  for (int pass = 0; pass < 2; ++pass) {  // the exponents relative to the nearest mode's, so that one does not vanish
    for (int k = 0; k < kModes; ++k) {
      const auto m = mode(k);
      const double dx = x[0] - a * m[0], dy = x[1] - a * m[1];
      const double exponent = -(dx * dx + dy * dy) / (2 * variance);
      if (pass == 0) {
        nearest = k == 0 ? exponent : std::max(nearest, exponent);
      } else {
        total += weight[k] = std::exp(exponent - nearest);
      }
    }
  }
  std::array<double, 2> score{};
  for (int k = 0; k < kModes; ++k) {
    const auto m = mode(k);
    score[0] += weight[k] / total * (a * m[0] - x[0]) / variance;
    score[1] += weight[k] / total * (a * m[1] - x[1]) / variance;
  }
  return score;
}

double least_denoising_loss(const NoiseLevels& levels) {
  // By symmetry the mean over the mixture is that over one mode, where p is normal: a grid over +-6 deviations.
  constexpr double kReach = 6, kStep = 0.25;
  double loss = 0;
  for (std::size_t t = 0; t < levels.signal.size(); ++t) {
    const double a = levels.signal[t], s = levels.noise[t];
    const double noise = static_cast<double>(kDensityNoise), deviation = std::sqrt(a * a * noise * noise + s * s);
    double squares = 0, total = 0;
    for (double u = -kReach; u <= kReach; u += kStep) {
      for (double v = -kReach; v <= kReach; v += kStep) {
        const double weight = std::exp(-(u * u + v * v) / 2);
        const auto score = mixture_score(a, s, {a * kRadius + deviation * u, deviation * v});
        squares += weight * (score[0] * score[0] + score[1] * score[1]);
        total += weight;
      }
    }
    loss += 1 - s * s * squares / total / 2;
  }
  return loss / static_cast<double>(levels.signal.size());
}

}  // namespace bitlaw
