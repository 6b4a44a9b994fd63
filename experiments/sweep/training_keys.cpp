#include <fmt/ranges.h>

#include "experiments/sweep/key_rows.h"
#include "experiments/sweep/training_values.h"
#include "simulators/train/start.h"

namespace bitlaw {
namespace {

using RateSchedule = ScheduleKind;
using Optimizer = OptimizerKind;

template <RateSchedule... kinds>
bool schedule_is(const TrainConfig& c) {
  return ((c.schedule.kind == kinds) || ...);
}
template <Optimizer... kinds>
bool optimizer_is(const TrainConfig& c) {
  return ((c.optimizer.kind == kinds) || ...);
}

bool has_warmup(const TrainConfig& c) {
  return c.schedule.kind != RateSchedule::File &&
         (c.schedule.warmup_steps == 0 || c.schedule.kind == RateSchedule::Rewarmup);
}
bool has_final(const TrainConfig& c) {
  return !schedule_is<RateSchedule::Constant, RateSchedule::MultiStep, RateSchedule::File>(c);
}
bool has_decay(const TrainConfig& c) { return c.schedule.kind == RateSchedule::Wsd && c.schedule.decay_steps == 0; }

/// Used where it is not the default: keys that came later leave the ids of earlier runs alone.
template <typename Access>
KeyUsed where_changed(Access access) {
  return [access](const TrainConfig& c) {
    static const TrainConfig defaults;
    return access(c) != access(defaults);
  };
}

template <typename Enum, std::size_t N>
std::vector<EnumName<Enum>> rows(const std::array<EnumName<Enum>, N>& names) {
  return {names.begin(), names.end()};
}

/// A list of numbers, "[0.8, 0.9]"; one number is a list, too. `read` is for one of them.
template <typename Access, typename Read>
ConfigKey list(std::string name, Access access, Read read, KeyUsed used) {
  ConfigKey key{name, ConfigKey::Type::Text, {}, {}, std::move(used), /*takes_list=*/true};
  key.get = [access](const TrainConfig& c) { return ConfigValue(fmt::format("[{}]", fmt::join(access(c), ", "))); };
  key.set = [access, name, read](TrainConfig& c, const YamlNode& node) {
    auto& values = access(c);
    values.clear();
    if (node.kind == YamlNode::Kind::Scalar) {
      values.push_back(read(node, name));
    } else {
      for (const YamlNode& value : list_in(node, name)) values.push_back(read(value, "a value of " + name));
    }
  };
  return key;
}

ConfigKey start_from() {
  const auto access = BITLAW_MEMBER(start_from);
  ConfigKey key{"training.start_from", ConfigKey::Type::Text, {}, {}, where_changed(access)};
  key.get = [](const TrainConfig& c) { return ConfigValue(c.start_from); };
  key.set = [](TrainConfig& c, const YamlNode& node) {
    c.start_from = path_in(node, "training.start_from");
    c.start_fingerprint = at_place(node.place, [&] { return start_fingerprint(c.start_from); });
  };
  return key;
}

ConfigKey schedule_file() {
  ConfigKey key{"training.schedule.file", ConfigKey::Type::Text, {}, {}, schedule_is<RateSchedule::File>};
  key.get = [](const TrainConfig& c) { return ConfigValue(c.schedule.file); };
  key.set = [](TrainConfig& c, const YamlNode& node) {
    c.schedule.file = path_in(node, "training.schedule.file");
    c.schedule.points = at_place(node.place, [&] { return read_schedule(c.schedule.file); });
  };
  return key;
}

/// NAME_format and NAME_round: in what a tensor is kept between steps.
template <typename Access>
void add_storage(std::vector<ConfigKey>& keys, const std::string& name, StoredSign sign, Access access) {
  const auto kept = [access](const TrainConfig& c) { return !access(c).is_float32(); };
  ConfigKey format{name + "_format", ConfigKey::Type::Text, {}, {}, kept};
  format.get = [access](const TrainConfig& c) { return ConfigValue(access(c).name); };
  format.set = [access, sign, key = format.name](TrainConfig& c, const YamlNode& node) {
    set_storage_format(access(c), text_in(node, key), node.place, key, sign);
  };
  keys.push_back(format);
  keys.push_back(choice<RoundingMode>(
      name + "_round", storage_roundings(), [access](auto& c) -> auto& { return access(c).rounding; }, kept));
}

std::vector<ConfigKey> run_keys() {
  const auto changed = [](auto access) { return where_changed(access); };
  const auto keep = BITLAW_MEMBER(keep_checkpoints);
  const auto scales = [](const TrainConfig& c) { return c.loss_scale.initial > 0; };
  return {
      integer("training.tokens", 1, kMaxCount, BITLAW_MEMBER(tokens)),
      integer("training.batch", 1, kMaxInt, BITLAW_MEMBER(batch)),
      integer("training.eval_tokens", 1, kMaxCount, BITLAW_MEMBER(eval_tokens)),
      integer("training.seed", 0, kMaxSeed, BITLAW_MEMBER(seed)),
      integer("training.curve_every", 0, kMaxCount, BITLAW_MEMBER(curve_every), changed(BITLAW_MEMBER(curve_every))),
      integer("training.validate_every", 0, kMaxCount, BITLAW_MEMBER(validate_every),
              changed(BITLAW_MEMBER(validate_every))),
      list(
          "training.keep_checkpoints", keep,
          [](const YamlNode& node, const std::string& name) { return integer_in(node, name, 1, kMaxCount); },
          changed(keep)),
      start_from(),
      choice<StartWith>("training.start_with", rows(kStartWithNames), BITLAW_MEMBER(start_with),
                        [](const TrainConfig& c) { return !c.start_from.empty(); }),
      real("training.loss_scale.initial", 0, 0x1p100, BITLAW_MEMBER(loss_scale.initial), scales),
      real("training.loss_scale.growth", 1, 1024, BITLAW_MEMBER(loss_scale.growth), scales),
      real("training.loss_scale.backoff", 0x1p-10, 1 - 1e-9, BITLAW_MEMBER(loss_scale.backoff), scales),
      integer("training.loss_scale.interval", 1, kMaxCount, BITLAW_MEMBER(loss_scale.interval), scales),
  };
}

std::vector<ConfigKey> optimizer_keys() {
  constexpr auto has_adam = [](const TrainConfig& c) { return c.optimizer.kind != Optimizer::Sgd; };
  constexpr auto has_momentum = optimizer_is<Optimizer::Sgd, Optimizer::Muon>;
  constexpr auto is_muon = optimizer_is<Optimizer::Muon>;
  constexpr auto is_spam = optimizer_is<Optimizer::StableSpam>;
  const auto kind = BITLAW_MEMBER(optimizer.kind);
  std::vector<ConfigKey> keys{
      choice<Optimizer>("training.optimizer.kind", rows(kOptimizerKindNames), kind, where_changed(kind)),
      real("training.optimizer.learning_rate", 0, 1e6, BITLAW_MEMBER(optimizer.learning_rate)),
      real("training.optimizer.beta1", 0, 1 - 1e-9, BITLAW_MEMBER(optimizer.beta1), has_adam),
      real("training.optimizer.beta2", 0, 1 - 1e-9, BITLAW_MEMBER(optimizer.beta2), has_adam),
      real("training.optimizer.epsilon", 0, 1, BITLAW_MEMBER(optimizer.epsilon), has_adam),
      real("training.optimizer.weight_decay", 0, 1e6, BITLAW_MEMBER(optimizer.weight_decay)),
      real("training.optimizer.clip", 0, 1e30, BITLAW_MEMBER(optimizer.clip)),
      real("training.optimizer.momentum", 0, 1 - 1e-9, BITLAW_MEMBER(optimizer.momentum), has_momentum),
      choice<bool>("training.optimizer.nesterov", {{"true", true}, {"false", false}}, BITLAW_MEMBER(optimizer.nesterov),
                   has_momentum),
      choice<MuonScale>("training.optimizer.muon_scale", rows(kMuonScaleNames), BITLAW_MEMBER(optimizer.muon_scale),
                        is_muon),
      real("training.optimizer.adam_rate", 0, 1e6, BITLAW_MEMBER(optimizer.adam_rate), is_muon),
      real("training.optimizer.gamma1", 0, 1 - 1e-9, BITLAW_MEMBER(optimizer.stable_spam.gamma1), is_spam),
      real("training.optimizer.gamma2", 0, 1 - 1e-9, BITLAW_MEMBER(optimizer.stable_spam.gamma2), is_spam),
      real("training.optimizer.gamma3", 0, 1 - 1e-9, BITLAW_MEMBER(optimizer.stable_spam.gamma3), is_spam),
      integer("training.optimizer.reset_every", 0, kMaxCount, BITLAW_MEMBER(optimizer.stable_spam.reset_every),
              is_spam),
  };
  const auto mean_decay = BITLAW_MEMBER(optimizer.mean_decay);
  keys.push_back(real("training.optimizer.mean_decay", 0, 1 - 1e-9, mean_decay, where_changed(mean_decay)));
  add_storage(keys, "training.optimizer.weights", StoredSign::Both, BITLAW_MEMBER(optimizer.weights));
  add_storage(keys, "training.optimizer.moment1", StoredSign::Both, BITLAW_MEMBER(optimizer.moment1));
  add_storage(keys, "training.optimizer.moment2", StoredSign::Positive, BITLAW_MEMBER(optimizer.moment2));
  return keys;
}

std::vector<ConfigKey> schedule_keys() {
  constexpr auto is_wsd = schedule_is<RateSchedule::Wsd>;
  constexpr auto is_rewarmup = schedule_is<RateSchedule::Rewarmup>;
  constexpr auto is_multi_step = schedule_is<RateSchedule::MultiStep>;
  const auto warmup_steps = BITLAW_MEMBER(schedule.warmup_steps);
  const auto decay_steps = BITLAW_MEMBER(schedule.decay_steps);
  const auto shape = BITLAW_MEMBER(schedule.decay_shape);
  const auto only_wsd = [=](KeyUsed used) -> KeyUsed {
    return [=](const TrainConfig& c) { return is_wsd(c) && used(c); };
  };
  return {
      choice<RateSchedule>("training.schedule.kind", rows(kScheduleKindNames), BITLAW_MEMBER(schedule.kind)),
      real("training.schedule.warmup", 0, 1, BITLAW_MEMBER(schedule.warmup), has_warmup),
      integer("training.schedule.warmup_steps", 0, kMaxCount, warmup_steps, where_changed(warmup_steps)),
      real("training.schedule.decay", 0, 1, BITLAW_MEMBER(schedule.decay), has_decay),
      integer("training.schedule.decay_steps", 0, kMaxCount, decay_steps, only_wsd(where_changed(decay_steps))),
      choice<DecayShape>("training.schedule.decay_shape", rows(kDecayShapeNames), shape,
                         only_wsd(where_changed(shape))),
      real("training.schedule.final", 0, 1, BITLAW_MEMBER(schedule.final), has_final),
      integer("training.schedule.cycles", 1, kMaxInt, BITLAW_MEMBER(schedule.cycles),
              schedule_is<RateSchedule::Cyclic>),
      list(
          "training.schedule.milestones", BITLAW_MEMBER(schedule.milestones),
          [](const YamlNode& node, const std::string& name) { return number_in(node, name, 0, 1); }, is_multi_step),
      real("training.schedule.gamma", 0, 1e3, BITLAW_MEMBER(schedule.gamma), is_multi_step),
      real("training.schedule.rewarm_at", 0, 1, BITLAW_MEMBER(schedule.rewarm_at), is_rewarmup),
      real("training.schedule.rewarm_peak", 0, 1e3, BITLAW_MEMBER(schedule.rewarm_peak), is_rewarmup),
      schedule_file(),
  };
}

/// statistics.shadows has a language of its own, that of precisions.
std::vector<ConfigKey> statistics_keys() {
  return {integer("statistics.every", 0, kMaxCount, BITLAW_MEMBER(statistics.every),
                  [](const TrainConfig& c) { return c.statistics.every > 0; })};
}

std::vector<ConfigKey> stop_keys() {
  const auto has_ceiling = [](const TrainConfig& c) { return c.stop.ceiling > 0; };
  const auto is_watched = [has_ceiling](const TrainConfig& c) {
    return c.stop.divergence > 0 || c.stop.plateau > 0 || has_ceiling(c);
  };
  return {
      real("stop.divergence", 0, 1e6, BITLAW_MEMBER(stop.divergence),
           [](const TrainConfig& c) { return c.stop.divergence > 0; }),
      integer("stop.plateau", 0, kMaxInt, BITLAW_MEMBER(stop.plateau),
              [](const TrainConfig& c) { return c.stop.plateau > 0; }),
      real("stop.plateau_gain", 0, 1 - 1e-9, BITLAW_MEMBER(stop.plateau_gain),
           [](const TrainConfig& c) { return c.stop.plateau > 0; }),
      real("stop.ceiling", 0, 1e300, BITLAW_MEMBER(stop.ceiling), has_ceiling),
      real("stop.ceiling_from", 0, 1, BITLAW_MEMBER(stop.ceiling_from), has_ceiling),
      integer("stop.ceiling_points", 1, kMaxInt, BITLAW_MEMBER(stop.ceiling_points), has_ceiling),
      real("stop.budget", 0, 1e300, BITLAW_MEMBER(stop.budget), [](const TrainConfig& c) { return c.stop.budget > 0; }),
      choice<StopConfig::Watch>("stop.watch", rows(kStopWatchNames), BITLAW_MEMBER(stop.watch), is_watched),
  };
}

}  // namespace

std::vector<ConfigKey> training_keys() {
  std::vector<ConfigKey> keys;
  for (std::vector<ConfigKey> part : {run_keys(), optimizer_keys(), schedule_keys(), statistics_keys(), stop_keys()}) {
    keys.insert(keys.end(), part.begin(), part.end());
  }
  return keys;
}

}  // namespace bitlaw
