#pragma once

#include <array>
#include <cstddef>

#include "simulators/train/task_factory.h"

namespace bitlaw {

/// What a run has to do, in units whose time per unit hardly depends on the run.
enum class WorkKind : std::size_t {
  Products,     ///< floating-point operations of matrix products
  Activations,  ///< numbers into and out of layers, forward and backward
  Weights,      ///< parameters that the optimizer updates
  Rounded,      ///< numbers rounded to nearest or by direction
  Stochastic,   ///< numbers rounded stochastically
  Rotated,      ///< numbers that a Hadamard transform takes
  Calls         ///< layers entered
};
inline constexpr std::size_t kWorkKinds = 7;
using RunWork = std::array<double, kWorkKinds>;  ///< by WorkKind

/// Of all steps and evaluations of a run. What statistics add is left out.
RunWork run_work(const TrainConfig& config, const TaskData& data);

}  // namespace bitlaw
