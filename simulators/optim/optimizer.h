#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "simulators/model/parameters.h"
#include "simulators/optim/muon.h"
#include "simulators/optim/optimizer_config.h"

namespace bitlaw {

/// One tensor that an optimizer keeps between steps, under its name in checkpoints.
struct StateTensor {
  std::string name;
  std::vector<float> values;
};

/// Updates the parameters of a model by OptimizerConfig, and keeps weights and moments in their formats.
class Optimizer {
 public:
  /// For parameters of this layout. `seed` is that of stochastic rounding.
  Optimizer(const OptimizerConfig& config, const std::vector<Parameter>& layout, std::uint64_t seed);

  /// parameters <- the update by factor * gradients, of which `step` were made before. Gradients are unspecified after.
  void update(ParameterSet<float>& parameters, double rate, double factor, std::int64_t step);

  /// Rounds the weights that training starts from to their format, as each update does. Their mean begins with them.
  void store_weights(ParameterSet<float>& parameters, std::int64_t steps_done);

  /// Of the weights, in the order of the parameters; empty where none is kept. Lives until state() is replaced.
  std::span<const float> means() const;

  /// All that the next update depends on besides the arguments of update(): "first_moment" and, where the kind has
  /// them, "second_moment", both in the order of the parameters, "spikes", three numbers for each parameter, and
  /// "mean" of the weights.
  std::vector<StateTensor>& state() { return state_; }
  const std::vector<StateTensor>& state() const { return state_; }

 private:
  void update_one(ParameterSet<float>& parameters, std::size_t index, double rate, double factor, std::int64_t step);
  RandomStream stream(std::uint16_t slot, std::size_t index, std::int64_t steps_done) const;

  OptimizerConfig config_;
  std::uint64_t seed_;
  std::vector<StateTensor> state_;
  MuonScratch muon_;
};

}  // namespace bitlaw
