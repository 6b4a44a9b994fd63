#pragma once

#include <fmt/format.h>

#include <cmath>
#include <span>
#include <vector>

#include "core/base/distributions.h"
#include "core/random/philox.h"
#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// Losses of a law at known parameters, each row a run of its own, times exp(sigma * standard normal) when sigma > 0.
inline Observations planted(const Law& law, std::span<const double> truth, std::vector<std::vector<double>> inputs,
                            double sigma = 0, std::uint64_t seed = 0) {
  Observations observations{.inputs = std::move(inputs)};
  for (std::size_t i = 0; i < observations.inputs.size(); ++i) {
    const double uniform = (random_bits({.seed = seed, .slot = 7}, i) + 0.5) * 0x1p-32;
    const double noise = sigma == 0 ? 0 : sigma * normal_quantile(uniform);
    observations.loss.push_back(law.predict(truth, observations.inputs[i]) * std::exp(noise));
    observations.ids.push_back(fmt::format("run{}", i));
    observations.cluster.push_back(observations.ids.back());
  }
  return observations;
}

/// Every N with every D, [N * D][2].
inline std::vector<std::vector<double>> full_design(const std::vector<double>& params,
                                                    const std::vector<double>& tokens) {
  std::vector<std::vector<double>> rows;
  for (const double n : params) {
    for (const double d : tokens) rows.push_back({n, d});
  }
  return rows;
}

/// Six sizes by six token counts over the ranges of the Chinchilla runs.
inline std::vector<std::vector<double>> chinchilla_design() {
  return full_design({5e7, 1.5e8, 5e8, 1.5e9, 5e9, 1.5e10}, {3e8, 1e9, 4e9, 1.5e10, 6e10, 3e11});
}

/// Near the published fit of the Chinchilla points: (A, alpha, B, beta, E).
inline const std::vector<double> kChinchillaTruth{482, 0.35, 2085, 0.37, 1.8};

/// The Chinchilla law as L = E, so that answers are closed forms: the other parameters held, in fitted coordinates,
/// where their terms are below 1e-40.
inline const std::vector<bool> kOnlyE{true, true, true, true, false};
inline const std::vector<double> kNoTerms{std::log(1e-6), 5, std::log(1e-6), 5, 0};

}  // namespace bitlaw
