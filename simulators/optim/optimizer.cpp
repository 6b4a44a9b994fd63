#include "simulators/optim/optimizer.h"

#include <algorithm>

#include "simulators/optim/adamw.h"
#include "simulators/optim/stable_spam.h"

namespace bitlaw {
namespace {

bool is_muon_matrix(const Parameter& p) {
  return p.rows > 1 && p.cols > 1 && p.name != "embedding" && p.name != "head";
}

/// g <- factor * g + decay * p.
void regularise(std::span<float> g, double factor, double decay, std::span<const float> p) {
  const auto scale = static_cast<float>(factor), weight = static_cast<float>(decay);
  for (std::size_t i = 0; i < g.size(); ++i) g[i] = scale * g[i] + weight * p[i];
}

}  // namespace

Optimizer::Optimizer(const OptimizerConfig& config, const std::vector<Parameter>& layout, std::uint64_t seed)
    : config_(config), seed_(seed) {
  std::size_t count = 0;
  for (const Parameter& p : layout) count += static_cast<std::size_t>(p.size());
  state_.push_back({"first_moment", std::vector<float>(count)});
  if (config.kind != OptimizerKind::Sgd) state_.push_back({"second_moment", std::vector<float>(count)});
  if (config.kind == OptimizerKind::StableSpam) state_.push_back({"spikes", std::vector<float>(3 * layout.size())});
  if (config.mean_decay > 0) state_.push_back({"mean", std::vector<float>(count)});
}

void Optimizer::update(ParameterSet<float>& parameters, double rate, double factor, std::int64_t step) {
  if (config_.kind == OptimizerKind::StableSpam && config_.stable_spam.reset_every > 0 &&
      step % config_.stable_spam.reset_every == 0) {
    std::fill(state_[0].values.begin(), state_[0].values.end(), 0.0F);
    std::fill(state_[1].values.begin(), state_[1].values.end(), 0.0F);
  }
  for (std::size_t i = 0; i < parameters.layout().size(); ++i) update_one(parameters, i, rate, factor, step);
  if (config_.mean_decay == 0) return;
  const auto kept = static_cast<float>(config_.mean_decay), added = static_cast<float>(1 - config_.mean_decay);
  std::vector<float>& means = state_.back().values;
  for (std::size_t i = 0; i < means.size(); ++i) means[i] = kept * means[i] + added * parameters.values()[i];
}

std::span<const float> Optimizer::means() const {
  return config_.mean_decay > 0 ? std::span<const float>(state_.back().values) : std::span<const float>();
}

void Optimizer::update_one(ParameterSet<float>& parameters, std::size_t index, double rate, double factor,
                           std::int64_t step) {
  const Parameter& parameter = parameters.layout()[index];
  const auto first = static_cast<std::size_t>(parameter.first), size = static_cast<std::size_t>(parameter.size());
  const std::span<float> p = parameters.values().subspan(first, size), g = parameters.gradients().subspan(first, size);
  const std::span<float> m = std::span(state_[0].values).subspan(first, size);
  const bool has_second = config_.kind != OptimizerKind::Sgd;
  const std::span<float> v = has_second ? std::span(state_[1].values).subspan(first, size) : std::span<float>();
  const double decay = parameter.decays ? config_.weight_decay : 0.0;
  switch (config_.kind) {
    case OptimizerKind::AdamW:
      adamw_update<float>(config_, rate, decay, factor, step, p, g, m, v);
      break;
    case OptimizerKind::Adam:
      regularise(g, factor, decay, p);
      adamw_update<float>(config_, rate, 0.0, 1.0, step, p, g, m, v);
      break;
    case OptimizerKind::Sgd:
      regularise(g, factor, decay, p);
      sgd_update(config_, rate, p, g, m);
      break;
    case OptimizerKind::StableSpam: {
      regularise(g, factor, 0.0, p);
      float* kept = state_[2].values.data() + 3 * index;
      SpikeStatistics statistics{kept[0], kept[1], kept[2]};
      calm_gradient(config_.stable_spam, step, statistics, g);
      kept[0] = statistics.norm;
      kept[1] = statistics.square_norm;
      kept[2] = statistics.largest;
      const std::int64_t every = config_.stable_spam.reset_every;
      adamw_update<float>(config_, rate, decay, 1.0, every > 0 ? step % every : step, p, g, m, v);
      break;
    }
    case OptimizerKind::Muon:
      if (is_muon_matrix(parameter)) {
        regularise(g, factor, 0.0, p);
        muon_update(config_, rate, decay, parameters.weight(index), g, m, muon_);
      } else {
        adamw_update<float>(config_, config_.adam_rate * rate, decay, factor, step, p, g, m, v);
      }
      break;
  }
  store(config_.weights, parameter, stream(kWeightsSlot, index, step + 1), p);
  store(config_.moment1, parameter, stream(kMoment1Slot, index, step + 1), m);
  if (!v.empty()) store(config_.moment2, parameter, stream(kMoment2Slot, index, step + 1), v);
}

void Optimizer::store_weights(ParameterSet<float>& parameters, std::int64_t steps_done) {
  for (std::size_t i = 0; i < parameters.layout().size(); ++i) {
    const Parameter& p = parameters.layout()[i];
    store(config_.weights, p, stream(kWeightsSlot, i, steps_done),
          parameters.values().subspan(static_cast<std::size_t>(p.first), static_cast<std::size_t>(p.size())));
  }
  if (config_.mean_decay > 0) std::ranges::copy(parameters.values(), state_.back().values.begin());
}

RandomStream Optimizer::stream(std::uint16_t slot, std::size_t index, std::int64_t steps_done) const {
  return {seed_, static_cast<std::uint32_t>(steps_done), static_cast<std::uint16_t>(index), slot};
}

}  // namespace bitlaw
