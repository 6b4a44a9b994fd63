#pragma once

#include <span>
#include <vector>

#include "fitting/fit/objective.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// Where a law is looked at when runs are chosen: runs are chosen for the parameters as they are believed to be.
struct DesignPoint {
  const Law& law;
  std::vector<double> natural;  ///< [p]
  std::vector<bool> free;       ///< [p] the unknowns of the design, q of them; the others are held
  Residual residual = Residual::Log;
  double noise = 0;  ///< standard deviation of a run's residual, positive

  /// [q] d log L (or d L) / d fitted coordinate, over the noise, of a run with these inputs.
  std::vector<double> slope(std::span<const double> inputs) const;

  /// [q] 1 at a parameter, over nothing: its own coordinate. It must be free.
  std::vector<double> coordinate(std::size_t parameter) const;
};

/// [q, q] What runs with these inputs, [run][input], tell of the free parameters, and what the bounds of the parameters
/// do before any run: each coordinate's variance is that of an even distribution between them. So directions that no
/// run has looked at have a large variance and not an infinite one.
std::vector<double> information_of(const DesignPoint& point, const std::vector<std::vector<double>>& runs);

}  // namespace bitlaw
