#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace bitlaw {

/// A YAML value that knows where it stands. Aliases are expanded; a value without text ("key:") is Null.
struct YamlNode {
  enum class Kind : std::uint8_t {
    Null,
    Scalar,
    List,
    Map
  };
  Kind kind = Kind::Null;
  SourceLocation place;            ///< of the value
  std::string text;                ///< Scalar only
  std::vector<YamlNode> children;  ///< elements of a List or values of a Map, in file order
  std::string key;                 ///< of a child of a Map
  SourceLocation key_place;

  /// The child of this key, or null.
  const YamlNode* find(std::string_view name) const;
};

/// InputError "file:line:column: ..." when the text is not YAML, repeats a key or nests without end.
YamlNode parse_yaml(std::string_view text, const std::string& file);

/// A value without a file, e.g. of a command line or a formula. InputErrors about it name `place` as it is.
YamlNode parse_value(std::string_view text, const std::string& place);

/// Carries out "--set path=value" on the tree: replaces what stands there, or adds it. A path is the keys from the root
/// with dots between; keys that contain dots ("sweep.grid.model.width") are found too. Places become "--set
/// path=value".
void set_value(YamlNode& root, std::string_view assignment);

/// Works the map `over` into the map `base`: maps under the same key are merged, other values of `over` replace.
void merge_into(YamlNode& base, const YamlNode& over);

/// InputError that names an unknown key, the nearest of `known` or all of them.
[[noreturn]] void refuse_key(const YamlNode& node, std::string_view where, const std::vector<std::string>& known);
/// The same for an unknown word of `name`.
[[noreturn]] void refuse_choice(const YamlNode& node, std::string_view name, std::span<const std::string_view> known);

/// The value as the asked type. InputError "place: `name` is ..., not ...; write ..." for any other.
std::string text_in(const YamlNode& node, std::string_view name);
/// A path: relative to the folder of the file that says it, or, given with --set, to the one that bitlaw is started in.
std::string path_in(const YamlNode& node, std::string_view name);
double number_in(const YamlNode& node, std::string_view name, double least, double most);
/// Also takes 1e6, whose value is whole.
std::int64_t integer_in(const YamlNode& node, std::string_view name, std::int64_t least, std::int64_t most);
const std::vector<YamlNode>& list_in(const YamlNode& node, std::string_view name);
/// Null counts as a map without keys.
const std::vector<YamlNode>& map_in(const YamlNode& node, std::string_view name);

/// Which of a table of EnumName the node's word is. InputError that names the nearest, or all, for any other.
template <typename Names>
auto choice_in(const YamlNode& node, std::string_view name, const Names& names) {
  if (const auto value = value_of(text_in(node, name), names)) return *value;
  std::vector<std::string_view> words;
  for (const auto& row : names) words.push_back(row.name);
  refuse_choice(node, name, words);
}

/// What `parse` returns; its InputErrors, which know no place, get this one.
template <typename Parse>
decltype(auto) at_place(const SourceLocation& place, Parse parse) {
  try {
    return parse();
  } catch (const InputError& error) {
    throw InputError(place, error.what());
  }
}

/// Whether the whole text is a finite number, which `value` then is.
bool parses_as_number(std::string_view text, double& value);

/// For messages: the first line of a text, and of that some 40 characters, with "..." for what is left out.
std::string shortened(std::string_view text);

/// For messages: the scalar, shortened, in quotes, "a list", "a map" or "empty".
std::string description(const YamlNode& node);

}  // namespace bitlaw
