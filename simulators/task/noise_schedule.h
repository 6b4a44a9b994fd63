#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/enum_name.h"

namespace bitlaw {

/// How a diffusion mixes data and noise at its times t = 1, ..., T: x_t = a_t x + s_t eps with a_t^2 + s_t^2 = 1.
enum class NoiseSchedule : std::uint8_t {
  Linear,  ///< a_t^2 = prod_{i <= t} (1 - b_i), b_i from 0.1 / T to 20 / T evenly: Ho, Jain and Abbeel 2020,
           ///< arXiv:2006.11239, §4, whose b for T = 1000 go from 1e-4 to 0.02
  Cosine,  ///< a_t^2 = f(t) / f(0), f(t) = cos^2(pi / 2 (t / T + 0.008) / 1.008): Nichol and Dhariwal 2021,
           ///< arXiv:2102.09672, Eq. 17
};
inline constexpr std::array<EnumName<NoiseSchedule>, 2> kNoiseScheduleNames{
    {{"linear", NoiseSchedule::Linear}, {"cosine", NoiseSchedule::Cosine}}};

/// a_t and s_t for t = 1, ..., T, at index t - 1. T >= 20, so that no b is above 1.
struct NoiseLevels {
  std::vector<double> signal, noise;
};
NoiseLevels noise_levels(NoiseSchedule schedule, int times);

}  // namespace bitlaw
