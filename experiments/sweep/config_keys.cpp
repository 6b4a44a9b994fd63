#include "experiments/sweep/config_keys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

namespace bitlaw {
namespace {

using Kind = CorpusSpec::Kind;
using ScheduleKind = ScheduleConfig::Kind;
using Used = std::function<bool(const TrainConfig&)>;

constexpr std::int64_t kMaxCount = 1'000'000'000'000;  // keeps products of two counts inside int64
constexpr std::int64_t kMaxInt = 1'000'000;
constexpr std::int64_t kMaxSeed = std::numeric_limits<std::int64_t>::max();

bool always(const TrainConfig&) { return true; }
bool synthetic(const TrainConfig& c) { return c.corpus.kind == Kind::Synthetic; }
bool has_files(const TrainConfig& c) { return c.corpus.kind != Kind::Synthetic; }
bool has_vocabulary(const TrainConfig& c) { return c.corpus.kind != Kind::Text; }
bool decays(const TrainConfig& c) { return c.schedule.kind != ScheduleKind::Constant; }
bool has_decay(const TrainConfig& c) { return c.schedule.kind == ScheduleKind::Wsd; }

/// `access` gives the member for a const and a mutable TrainConfig.
template <typename Access>
ConfigKey integer(std::string name, std::int64_t least, std::int64_t most, Access access, Used used = always) {
  ConfigKey key{name, ConfigKey::Type::Integer, {}, {}, std::move(used)};
  key.get = [access](const TrainConfig& c) { return ConfigValue(static_cast<std::int64_t>(access(c))); };
  key.set = [access, name, least, most](TrainConfig& c, const YamlNode& node) {
    auto& member = access(c);
    member = static_cast<std::remove_reference_t<decltype(member)>>(integer_in(node, name, least, most));
  };
  return key;
}

template <typename Access>
ConfigKey real(std::string name, double least, double most, Access access, Used used = always) {
  ConfigKey key{name, ConfigKey::Type::Real, {}, {}, std::move(used)};
  key.get = [access](const TrainConfig& c) { return ConfigValue(access(c)); };
  key.set = [access, name, least, most](TrainConfig& c, const YamlNode& node) {
    access(c) = number_in(node, name, least, most);
  };
  return key;
}

template <typename Enum, typename Access>
ConfigKey choice(std::string name, std::vector<EnumName<Enum>> names, Access access) {
  ConfigKey key{name, ConfigKey::Type::Text, {}, {}, always};
  key.get = [access, names](const TrainConfig& c) { return ConfigValue(std::string(name_of(access(c), names))); };
  key.set = [access, name, names](TrainConfig& c, const YamlNode& node) { access(c) = choice_in(node, name, names); };
  return key;
}

ConfigKey corpus_files() {
  ConfigKey key{"corpus.files", ConfigKey::Type::Text, {}, {}, has_files};
  key.get = [](const TrainConfig& c) { return ConfigValue(fmt::format("[{}]", fmt::join(c.corpus.files, ", "))); };
  key.set = [](TrainConfig& c, const YamlNode& node) {
    c.corpus.files.clear();
    if (node.kind == YamlNode::Kind::Scalar) {
      c.corpus.files.push_back(node.text);
    } else {
      for (const YamlNode& file : list_in(node, "corpus.files")) {
        c.corpus.files.push_back(text_in(file, "a file of corpus.files"));
      }
    }
  };
  return key;
}

// One lambda serves reading and writing: `c` is a const or a mutable TrainConfig.
#define BITLAW_MEMBER(member) \
  [](auto& c) -> auto& { return c.member; }

std::vector<ConfigKey> make_keys() {
  std::vector<ConfigKey> keys{
      choice<Kind>("corpus.kind", {{"text", Kind::Text}, {"tokens", Kind::Tokens}, {"synthetic", Kind::Synthetic}},
                   BITLAW_MEMBER(corpus.kind)),
      corpus_files(),
      real("corpus.validation_fraction", 1e-9, 1 - 1e-9, BITLAW_MEMBER(corpus.validation_fraction)),
      integer("corpus.vocabulary", 2, 65536, BITLAW_MEMBER(corpus.vocabulary), has_vocabulary),
      integer("corpus.order", 1, 16, BITLAW_MEMBER(corpus.order), synthetic),
      real("corpus.concentration", 1.0 / 1024, 1024, BITLAW_MEMBER(corpus.concentration), synthetic),
      integer("corpus.length", 2, 1'000'000'000, BITLAW_MEMBER(corpus.length), synthetic),
      integer("corpus.seed", 0, kMaxSeed, BITLAW_MEMBER(corpus.seed), synthetic),
      integer("model.layers", 1, 1000, BITLAW_MEMBER(model.layers)),
      integer("model.width", 2, kMaxInt, BITLAW_MEMBER(model.width)),
      integer("model.heads", 1, kMaxInt, BITLAW_MEMBER(model.heads)),
      integer("model.kv_heads", 0, kMaxInt, BITLAW_MEMBER(model.kv_heads)),
      integer("model.ffn", 0, kMaxInt, BITLAW_MEMBER(model.ffn)),
      integer("model.context", 1, kMaxInt, BITLAW_MEMBER(model.context)),
      real("model.rope_base", 1, 1e12, BITLAW_MEMBER(model.rope_base)),
      integer("training.tokens", 1, kMaxCount, BITLAW_MEMBER(tokens)),
      integer("training.batch", 1, kMaxInt, BITLAW_MEMBER(batch)),
      integer("training.eval_tokens", 1, kMaxCount, BITLAW_MEMBER(eval_tokens)),
      integer("training.seed", 0, kMaxSeed, BITLAW_MEMBER(seed)),
      real("training.optimizer.learning_rate", 0, 1e6, BITLAW_MEMBER(optimizer.learning_rate)),
      real("training.optimizer.beta1", 0, 1 - 1e-9, BITLAW_MEMBER(optimizer.beta1)),
      real("training.optimizer.beta2", 0, 1 - 1e-9, BITLAW_MEMBER(optimizer.beta2)),
      real("training.optimizer.epsilon", 0, 1, BITLAW_MEMBER(optimizer.epsilon)),
      real("training.optimizer.weight_decay", 0, 1e6, BITLAW_MEMBER(optimizer.weight_decay)),
      real("training.optimizer.clip", 0, 1e30, BITLAW_MEMBER(optimizer.clip)),
      choice<ScheduleKind>("training.schedule.kind",
                           {{"constant", ScheduleKind::Constant},
                            {"cosine", ScheduleKind::Cosine},
                            {"linear", ScheduleKind::Linear},
                            {"wsd", ScheduleKind::Wsd}},
                           BITLAW_MEMBER(schedule.kind)),
      real("training.schedule.warmup", 0, 1, BITLAW_MEMBER(schedule.warmup)),
      real("training.schedule.decay", 0, 1, BITLAW_MEMBER(schedule.decay), has_decay),
      real("training.schedule.final", 0, 1, BITLAW_MEMBER(schedule.final), decays),
  };
  return keys;
}
#undef BITLAW_MEMBER

}  // namespace

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = make_keys();
  return keys;
}

const ConfigKey* find_config_key(std::string_view name) {
  const auto& keys = config_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const ConfigKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

TrainConfig default_config() {
  TrainConfig config;
  config.model.kv_heads = 0;
  return config;
}

void resolve_defaults(TrainConfig& config) {
  if (config.model.kv_heads == 0) config.model.kv_heads = config.model.heads;
  config.model.ffn = config.model.ffn_width();
}

std::string to_text(const ConfigValue& value) {
  return std::visit(
      [](const auto& v) {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::string>) return v;
        return fmt::format("{}", v);
      },
      value);
}

}  // namespace bitlaw
