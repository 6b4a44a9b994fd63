#include "experiments/sweep/learning_rates.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/error.h"
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/training_values.h"

namespace bitlaw {
namespace {

constexpr std::string_view kOfSchedule = "training.schedule.";
constexpr std::array<std::string_view, 5> kOthers{"task", "model.context", "training.tokens", "training.batch",
                                                  "training.optimizer.learning_rate"};

bool decides_rates(std::string_view key) {
  return key.starts_with(kOfSchedule) || std::find(kOthers.begin(), kOthers.end(), key) != kOthers.end();
}

YamlNode node_of(const ConfigKey& key, const ConfigValue& value, const std::string& place) {
  if (key.takes_list) return parse_value(to_text(value), place);
  return {.kind = YamlNode::Kind::Scalar,
          .place = {.file = place},
          .text = to_text(value),
          .children = {},
          .key = {},
          .key_place = {}};
}

/// InputError where the points of a schedule's file are not those that the run was trained with.
void check_points(const RunRecord& run, const TrainConfig& config, const std::string& place) {
  if (config.schedule.kind != ScheduleKind::File) return;
  const auto recorded = run.config.find("training.schedule.file.fingerprint");
  if (recorded != run.config.end() && to_text(recorded->second) == schedule_fingerprint(config.schedule)) return;
  throw InputError(
      fmt::format("{}: the schedule {} is not what the run was trained with, so its learning rates are unknown; bring "
                  "the file back as it was",
                  place, config.schedule.file));
}

}  // namespace

std::vector<double> learning_rates(const RunRecord& run) {
  const std::string place = fmt::format("run {}", run.run_id.substr(0, 8));
  if (!run.config.contains("training.schedule.kind") || !run.config.contains("training.tokens")) {
    throw InputError(fmt::format(
        "{}: its configuration says no schedule, so its learning rates are unknown; take a file that bitlaw run wrote",
        place));
  }
  TrainConfig config = default_config();
  for (const auto& [name, value] : run.config) {
    const ConfigKey* key = find_config_key(name);
    if (key != nullptr && decides_rates(name)) key->set(config, node_of(*key, value, place));
  }
  check_points(run, config, place);
  const std::int64_t steps = config.steps();
  std::vector<double> rates(static_cast<std::size_t>(steps));
  for (std::int64_t step = 0; step < steps; ++step) {
    rates[static_cast<std::size_t>(step)] =
        config.optimizer.learning_rate * schedule_factor(config.schedule, step, steps);
  }
  return rates;
}

}  // namespace bitlaw
