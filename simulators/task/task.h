#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "simulators/model/parameters.h"
#include "simulators/quantized/layer_plan.h"
#include "simulators/quantized/observer.h"

namespace bitlaw {

/// What held-out data say of a model.
struct Evaluation {
  double loss = 0;                                          ///< mean, in the task's unit
  double error = std::numeric_limits<double>::quiet_NaN();  ///< fraction misclassified, where there are classes
};

/// A model with its data and its loss: all that the training loop sees. Batches and random bits are pure functions of
/// the step, so a task has no state but its parameters.
class Task {
 public:
  virtual ~Task() = default;

  virtual ParameterSet<float>& parameters() = 0;

  /// Mean loss over the batch of `step`; keeps what backward needs.
  virtual double forward(std::int64_t step) = 0;

  /// parameters().gradients() <- loss_scale d loss / d values of the last forward pass. Call once for each forward
  /// pass. The factor is on the loss, so that gradients are rounded with it on them (Micikevicius et al. 2018,
  /// arXiv:1710.03740 §3.2); the caller divides by it.
  virtual void backward(float loss_scale) = 0;

  /// From now on `observer` is told what the layers round; null: no one. It changes no bits.
  virtual void observe(LinearObserver* observer) = 0;

  /// Over the held-out data, with the recipe's rounding as in training. Random bits are those of steps from `step` on.
  virtual Evaluation evaluate(std::int64_t step) = 0;
};

}  // namespace bitlaw
