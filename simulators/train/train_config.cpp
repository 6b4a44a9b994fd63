#include "simulators/train/train_config.h"

namespace bitlaw {

double training_flops(const TrainConfig& config, int vocabulary) {
  const auto tokens = static_cast<double>(config.steps() * config.tokens_per_step());
  return 3.0 * forward_flops_per_token(config.model, vocabulary) * tokens;
}

}  // namespace bitlaw
