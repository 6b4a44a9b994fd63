#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fitting/fit/objective.h"
#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// Runs whose losses are made up: a law at known parameters, where it is observed, and the noise of log loss.
struct SyntheticDesign {
  const Law* law = nullptr;
  std::string description{};                  ///< in words, for reports
  std::vector<double> truth{};                ///< [p] natural parameters
  std::vector<std::vector<double>> inputs{};  ///< [n][inputs]
  std::vector<std::string> runs{};            ///< [n] the run of each row
  double run_noise = 0;                       ///< standard deviation of what all rows of a run share: its seed
  double row_noise = 0;                       ///< of each row's own
  std::vector<double> weights{};              ///< [n] a row's noise is 1 / sqrt(weight) of these; empty: all are 1
  /// Makes the losses of (seed, set) where they are no law times noise, such as the answers of accuracy_design().
  std::function<Observations(std::uint64_t seed, std::uint32_t set)> draw{};
  ObjectiveSpec objective{};  ///< that suits `draw`
};

/// A design of the size that papers have, at their coefficients:
///
/// - chinchilla: 6 sizes by 6 token counts over the ranges of Hoffmann et al. 2022, one run each, noise 0.005;
/// - qat: the 16 (N, D) of Chen et al. 2025, each in full precision and with G = 32, 64, 128, 256, noise 0.002;
/// - fp_quantization: 16 (N, D) of Sun et al. 2025 by 13 formats of its Table 3, noise 0.002;
/// - annealing: 24 schedules (constant, cosine, linear decay; two peaks, four lengths), 10 losses along each, noise
///   0.002 by run and 0.002 by row.
///
/// Noise between seeds: 0.0007 in log loss for 125M models (Chmiel et al. 2025, arXiv:2505.19115), 0.002 for models
/// of tens of millions; what the law's form leaves adds to it, 0.005 on the Chinchilla points. InputError for another
/// law.
SyntheticDesign synthetic_design(std::string_view law);

/// The laws that synthetic_design() knows.
std::vector<std::string_view> synthetic_designs();

/// `count` of a design's runs, spread evenly over their list. Not of one that draws its own losses.
SyntheticDesign with_runs(SyntheticDesign design, std::size_t count);

/// A design with noise of three sizes, half, once and twice its own, of each run drawn once for all sets, and weights
/// that say so. Not of one that draws its own losses.
SyntheticDesign with_unequal_noise(SyntheticDesign design);

/// The number of its runs.
std::size_t run_count(const SyntheticDesign& design);

/// Losses of a design: what it draws, else exp(normal noise) times the law's. A function of (seed, set).
Observations synthetic_losses(const SyntheticDesign& design, std::uint64_t seed, std::uint32_t set);

}  // namespace bitlaw
