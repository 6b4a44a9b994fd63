#include "experiments/sweep/yaml_node.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <unordered_map>
#include <utility>

#include "core/base/closest.h"

namespace bitlaw {
namespace {

constexpr int kMaxDepth = 32;  // a value that contains itself through an alias has no end
// Aliases of aliases grow exponentially; without any, a text has fewer values than characters.
constexpr std::size_t kMaxAliased = 100'000;

SourceLocation location(const std::string& file, const YAML::Mark& mark) {
  if (mark.is_null()) return {.file = file};
  return {.file = file, .line = mark.line + 1, .column = mark.column + 1};
}

/// yaml-cpp's tree as ours.
class Importer {
 public:
  Importer(std::string file, std::string_view text) : file_(std::move(file)), left_(text.size() + kMaxAliased) {}

  YamlNode import(const YAML::Node& source, int depth = 0) {
    YamlNode node;
    node.place = location(file_, source.Mark());
    if (depth > kMaxDepth || left_-- == 0) {
      throw InputError(node.place,
                       "this value nests too deep or grows without end, so it cannot be read; "
                       "write it without an alias to itself");
    }
    switch (source.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        break;
      case YAML::NodeType::Scalar:
        node.kind = YamlNode::Kind::Scalar;
        node.text = source.Scalar();
        break;
      case YAML::NodeType::Sequence:
        node.kind = YamlNode::Kind::List;
        for (const YAML::Node& element : source) node.children.push_back(import(element, depth + 1));
        break;
      case YAML::NodeType::Map:
        node.kind = YamlNode::Kind::Map;
        add_entries(node, source, depth);
        break;
    }
    return node;
  }

 private:
  using Lines = std::unordered_map<std::string, int>;  ///< of the keys of one map

  void add_entries(YamlNode& map, const YAML::Node& source, int depth) {
    Lines lines;
    for (const auto& entry : source) add_entry(map, lines, entry.first, entry.second, depth);
  }

  void add_entry(YamlNode& map, Lines& lines, const YAML::Node& key, const YAML::Node& value, int depth) {
    const SourceLocation place = location(file_, key.Mark());
    if (!key.IsScalar()) throw InputError(place, "this key is not a word, so nothing has that name; write a plain key");
    const std::string name = key.Scalar();
    if (const auto [first, added] = lines.emplace(name, place.line); !added) {
      throw InputError(place, fmt::format("key '{}' stands in this map twice (first at line {}), so one of the values "
                                          "would be ignored; delete one",
                                          name, first->second));
    }
    YamlNode child = import(value, depth + 1);
    child.key = name;
    child.key_place = place;
    if (child.kind == YamlNode::Kind::Null) child.place = place;  // yaml-cpp's mark is that of the next token
    map.children.push_back(std::move(child));
  }

  std::string file_;
  std::size_t left_;  ///< values that may still come
};

/// InputError where another follows, after a line ---; without any content it is none.
YAML::Node only_document(std::string_view text, const std::string& file) {
  const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
  for (std::size_t i = 1; i < documents.size(); ++i) {
    if (documents[i].IsNull()) continue;
    throw InputError(location(file, documents[i].Mark()),
                     "a second document begins here, behind '---', so all of it would be ignored; delete the '---', or "
                     "make two files");
  }
  return documents.empty() ? YAML::Node() : documents.front();
}

void set_places(YamlNode& node, const SourceLocation& place) {
  node.place = node.key_place = place;
  for (YamlNode& child : node.children) set_places(child, place);
}

/// The child that the longest possible start of `path` names; `path` keeps what is left of it.
YamlNode* step_into(YamlNode& node, std::string_view& path) {
  for (std::size_t end = path.size(); end != std::string_view::npos && end > 0; end = path.rfind('.', end - 1)) {
    for (YamlNode& child : node.children) {
      if (node.kind != YamlNode::Kind::Map || child.key != path.substr(0, end)) continue;
      path.remove_prefix(std::min(path.size(), end + 1));
      return &child;
    }
  }
  return nullptr;
}

[[noreturn]] void refuse_type(const YamlNode& node, std::string_view name, std::string_view wanted) {
  throw InputError(node.place, fmt::format("{} is {}, not {}", name, description(node), wanted));
}

template <typename T>
[[noreturn]] void refuse_number(const YamlNode& node, std::string_view name, std::string_view type, T least, T most) {
  refuse_type(node, name,
              fmt::format("{}; write one from {} to {}{}", type, least, most,
                          node.kind == YamlNode::Kind::List ? ", and several under sweep.grid" : ""));
}

}  // namespace

const YamlNode* YamlNode::find(std::string_view name) const {
  if (kind != Kind::Map) return nullptr;
  const auto found =
      std::find_if(children.begin(), children.end(), [&](const auto& child) { return child.key == name; });
  return found == children.end() ? nullptr : &*found;
}

YamlNode parse_yaml(std::string_view text, const std::string& file) {
  try {
    return Importer(file, text).import(only_document(text, file));
  } catch (const YAML::Exception& error) {
    throw InputError(location(file, error.mark),
                     fmt::format("this is not YAML ({}), so nothing can be read; correct the syntax here", error.msg));
  }
}

YamlNode parse_value(std::string_view text, const std::string& place) {
  const SourceLocation whole{.file = place};
  try {
    YamlNode node = Importer(place, text).import(only_document(text, place));
    set_places(node, whole);
    return node;
  } catch (const YAML::Exception& error) {
    throw InputError(whole, fmt::format("the value is not YAML ({}); quote it if it is text", error.msg));
  }
}

void set_value(YamlNode& root, std::string_view assignment) {
  const std::string place = fmt::format("--set {}", assignment);
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw InputError(place +
                     ": has no key and value around a '=', so nothing can be set; write --set key=value, for "
                     "example --set training.seed=1");
  }
  YamlNode value = parse_value(assignment.substr(equals + 1), place);
  std::string_view path = assignment.substr(0, equals);
  YamlNode* node = &root;
  while (!path.empty()) {
    YamlNode* next = step_into(*node, path);
    if (next == nullptr) {
      if (node->kind != YamlNode::Kind::Map && node->kind != YamlNode::Kind::Null)
        refuse_type(*node, node->key, "a map");
      node->kind = YamlNode::Kind::Map;
      next = &node->children.emplace_back();
      next->key = std::exchange(path, {});
    }
    node = next;
  }
  value.key = node->key;
  *node = std::move(value);
}

void merge_into(YamlNode& base, const YamlNode& over) {
  for (const YamlNode& child : over.children) {
    const auto target = std::find_if(base.children.begin(), base.children.end(),
                                     [&](const YamlNode& other) { return other.key == child.key; });
    if (target == base.children.end()) {
      base.children.push_back(child);
    } else if (target->kind == YamlNode::Kind::Map && child.kind == YamlNode::Kind::Map) {
      merge_into(*target, child);
    } else {
      *target = child;
    }
  }
}

bool parses_as_number(std::string_view text, double& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value);
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kMost = 40;  // bytes
  constexpr auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
  if (end > kMost) {
    end = kMost;
    while (end > 0 && continues(text[end])) --end;  // no half of a character of UTF-8
  }
  return std::string(text.substr(0, end)) + (end < text.size() ? "..." : "");
}

std::string description(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::Null:
      return "empty";
    case YamlNode::Kind::Scalar:
      return fmt::format("'{}'", shortened(node.text));
    case YamlNode::Kind::List:
      return "a list";
    case YamlNode::Kind::Map:
      return "a map";
  }
  return "";
}

std::string text_in(const YamlNode& node, std::string_view name) {
  if (node.kind != YamlNode::Kind::Scalar) refuse_type(node, name, "a word; write one value");
  return node.text;
}

std::string path_in(const YamlNode& node, std::string_view name) {
  const std::filesystem::path path = text_in(node, name);
  if (node.place.file.starts_with("--set ")) return path.string();
  return (std::filesystem::path(node.place.file).parent_path() / path).string();
}

double number_in(const YamlNode& node, std::string_view name, double least, double most) {
  double value = 0;
  if (node.kind != YamlNode::Kind::Scalar || !parses_as_number(node.text, value)) {
    refuse_number(node, name, "a number", least, most);
  }
  if (!(value >= least && value <= most)) {
    throw InputError(node.place, fmt::format("{} is {}, outside of what it can be; write a number from {} to {}", name,
                                             node.text, least, most));
  }
  return value;
}

std::int64_t integer_in(const YamlNode& node, std::string_view name, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  bool valid = node.kind == YamlNode::Kind::Scalar;
  if (valid) {
    const char* end = node.text.data() + node.text.size();
    const auto parsed = std::from_chars(node.text.data(), end, value);
    valid = parsed.ec == std::errc() && parsed.ptr == end;
    double real = 0;
    if (!valid && parses_as_number(node.text, real) && std::abs(real) <= 0x1p53 && real == std::floor(real)) {
      value = static_cast<std::int64_t>(real);
      valid = true;
    }
  }
  if (!valid) refuse_number(node, name, "a whole number", least, most);
  if (value < least || value > most) {
    throw InputError(node.place, fmt::format("{} is {}, outside of what it can be; write a whole number from {} to {}",
                                             name, value, least, most));
  }
  return value;
}

const std::vector<YamlNode>& list_in(const YamlNode& node, std::string_view name) {
  if (node.kind != YamlNode::Kind::List) refuse_type(node, name, "a list; write [a, b]");
  return node.children;
}

const std::vector<YamlNode>& map_in(const YamlNode& node, std::string_view name) {
  if (node.kind != YamlNode::Kind::Map && node.kind != YamlNode::Kind::Null) {
    refuse_type(node, name, "a map; write {key: value}");
  }
  return node.children;
}

void refuse_key(const YamlNode& node, std::string_view where, const std::vector<std::string>& known) {
  throw InputError(node.key_place, fmt::format("unknown key '{}' in {}, so its value would be ignored; {}",
                                               shortened(node.key), where, remedy(node.key, known)));
}

void refuse_choice(const YamlNode& node, std::string_view name, std::span<const std::string_view> known) {
  throw InputError(node.place,
                   fmt::format("{} is {}, which is not known; {}", name, description(node), remedy(node.text, known)));
}

}  // namespace bitlaw
