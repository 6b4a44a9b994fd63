#pragma once

#include <array>
#include <cstdint>
#include <utility>

#include "core/base/enum_name.h"
#include "core/random/philox.h"
#include "core/tensor/matrix.h"
#include "simulators/task/noise_schedule.h"

namespace bitlaw {

/// What a diffusion denoises: distributions of points in the plane, of about unit variance, or images.
enum class Density : std::uint8_t {
  Mixture,    ///< 8 equal Gaussians of deviation kDensityNoise, evenly on the circle of radius sqrt(2): its score is
              ///< known
  TwoMoons,   ///< two half circles of radius 1 that interlock, (cos, sin) and (1 - cos, 1/2 - sin), moved by (-1/2,
              ///< -1/4)
  SwissRoll,  ///< (phi cos phi, phi sin phi) / (3 pi), phi uniform from 3/2 pi to 9/2 pi
  Images,     ///< those of a LabelledSource, whatever their class
};
inline constexpr std::array<EnumName<Density>, 4> kDensityNames{{{"mixture", Density::Mixture},
                                                                 {"two_moons", Density::TwoMoons},
                                                                 {"swiss_roll", Density::SwissRoll},
                                                                 {"images", Density::Images}}};

inline constexpr int kModes = 8;              ///< of the mixture
inline constexpr float kDensityNoise = 0.1F;  ///< standard deviation of the normal noise on each coordinate

/// Independent points of a density in the plane, x [points, 2]. `choice` gives the place on the curve, `noise` what is
/// added.
void draw_points(Density density, const RandomStream& choice, const RandomStream& noise, MatrixView<float> x);

/// grad log p_t of the mixture after a diffusion to x_t = a x + s eps.
std::array<double, 2> mixture_score(double a, double s, std::array<double, 2> x);

/// The least that the mean of |eps - f(x_t, t)|^2 / 2 over t = 1, ..., T can be on the mixture: the conditional
/// variance of eps, mean_t (1 - s_t^2 E |score|^2 / 2), since E[eps | x_t] = -s_t score(x_t) (Vincent 2011).
///
/// By quadrature on a grid around each mode, relative error < 1e-4.
double least_denoising_loss(const NoiseLevels& levels);

}  // namespace bitlaw
