#include "simulators/train/start.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"

namespace bitlaw {
namespace {

std::string text_of(const ParameterShape& p) { return fmt::format("{} [{}, {}]", p.name, p.rows, p.cols); }

/// The first parameter in which the two differ, in words; empty where there is none.
std::string difference(const std::vector<ParameterShape>& saved, const std::vector<ParameterShape>& model) {
  const auto [a, b] = std::mismatch(saved.begin(), saved.end(), model.begin(), model.end());
  if (a == saved.end() && b == model.end()) return "";
  if (a == saved.end()) return fmt::format("lacks the model's parameter {}", text_of(*b));
  if (b == model.end()) return fmt::format("has a parameter {} and the model has none", text_of(*a));
  return fmt::format("has a parameter {} where the model has {}", text_of(*a), text_of(*b));
}

}  // namespace

std::vector<ParameterShape> shapes_of(const std::vector<Parameter>& layout) {
  std::vector<ParameterShape> shapes;
  for (const Parameter& p : layout) shapes.push_back({p.name, p.rows, p.cols});
  return shapes;
}

TrainState starting_state(const TrainConfig& config, const std::vector<ParameterShape>& model) {
  TrainState state = load_start(config.start_from);
  const auto refuse = [&](const std::string& why) {
    throw InputError(
        fmt::format("{}: {}, so this run cannot start from it; give another training.start_from or make the two runs "
                    "agree",
                    config.start_from, why));
  };
  if (const std::string why = difference(state.layout, model); !why.empty()) refuse(why);
  if (config.start_with == StartWith::Weights) return state;
  if (state.optimizer_kind != config.optimizer.kind) {
    refuse(fmt::format("was made with the optimizer {} and this run has {}",
                       name_of(state.optimizer_kind, kOptimizerKindNames),
                       name_of(config.optimizer.kind, kOptimizerKindNames)));
  }
  const auto is_mean = [](const StateTensor& tensor) { return tensor.name == "mean"; };
  const bool has_means = std::any_of(state.optimizer.begin(), state.optimizer.end(), is_mean);
  if (has_means != (config.optimizer.mean_decay > 0)) {
    refuse(has_means ? "keeps the weights' mean and this run keeps none" : "has no mean of the weights to go on with");
  }
  if (state.step >= config.steps()) {
    refuse(fmt::format("has {} steps behind it and the run ends after {}", state.step, config.steps()));
  }
  return state;
}

std::string start_fingerprint(const std::string& path) { return content_fingerprint(load_start(path)); }

}  // namespace bitlaw
