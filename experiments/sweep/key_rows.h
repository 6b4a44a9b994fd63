#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "experiments/sweep/config_keys.h"

namespace bitlaw {

using KeyUsed = std::function<bool(const TrainConfig&)>;

inline constexpr std::int64_t kMaxCount = 1'000'000'000'000;  // keeps products of two counts inside int64
inline constexpr std::int64_t kMaxInt = 1'000'000;
inline constexpr std::int64_t kMaxSeed = std::numeric_limits<std::int64_t>::max();

inline bool always(const TrainConfig&) { return true; }
/// `access` gives the member for a const and a mutable TrainConfig.
template <typename Access>
ConfigKey integer(std::string name, std::int64_t least, std::int64_t most, Access access, KeyUsed used = always) {
  ConfigKey key{name, ConfigKey::Type::Integer, {}, {}, std::move(used)};
  key.get = [access](const TrainConfig& c) { return ConfigValue(static_cast<std::int64_t>(access(c))); };
  key.set = [access, name, least, most](TrainConfig& c, const YamlNode& node) {
    auto& member = access(c);
    member = static_cast<std::remove_reference_t<decltype(member)>>(integer_in(node, name, least, most));
  };
  return key;
}

template <typename Access>
ConfigKey real(std::string name, double least, double most, Access access, KeyUsed used = always) {
  ConfigKey key{name, ConfigKey::Type::Real, {}, {}, std::move(used)};
  key.get = [access](const TrainConfig& c) { return ConfigValue(access(c)); };
  key.set = [access, name, least, most](TrainConfig& c, const YamlNode& node) {
    access(c) = number_in(node, name, least, most);
  };
  return key;
}

template <typename Enum, typename Access>
ConfigKey choice(std::string name, std::vector<EnumName<Enum>> names, Access access, KeyUsed used = always) {
  ConfigKey key{name, ConfigKey::Type::Text, {}, {}, std::move(used)};
  key.get = [access, names](const TrainConfig& c) { return ConfigValue(std::string(name_of(access(c), names))); };
  key.set = [access, name, names](TrainConfig& c, const YamlNode& node) { access(c) = choice_in(node, name, names); };
  return key;
}

/// For `used`: keys of one task.
template <TaskKind kind>
bool task_is(const TrainConfig& c) {
  return c.task == kind;
}

/// File names: one, or a list. They do not count in run ids, for the content does: end the name with "files".
template <typename Access>
ConfigKey files(std::string name, Access access, KeyUsed used) {
  ConfigKey key{name, ConfigKey::Type::Text, {}, {}, std::move(used), /*takes_list=*/true};
  key.get = [access](const TrainConfig& c) { return ConfigValue(fmt::format("[{}]", fmt::join(access(c), ", "))); };
  key.set = [access, name](TrainConfig& c, const YamlNode& node) {
    std::vector<std::string>& named = access(c);
    named.clear();
    if (node.kind == YamlNode::Kind::Scalar) {
      named.push_back(path_in(node, name));
    } else {
      for (const YamlNode& file : list_in(node, name)) named.push_back(path_in(file, "a file of " + name));
    }
  };
  return key;
}

// One lambda serves reading and writing: `c` is a const or a mutable TrainConfig.
#define BITLAW_MEMBER(member) \
  [](auto& c) -> auto& { return c.member; }

// The rows of config_keys(), by the part of a file that they are in.
std::vector<ConfigKey> corpus_keys();
std::vector<ConfigKey> task_keys();
std::vector<ConfigKey> model_keys();
std::vector<ConfigKey> training_keys();

}  // namespace bitlaw
