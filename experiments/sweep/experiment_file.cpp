#include "experiments/sweep/experiment_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "core/base/file.h"
#include "experiments/sweep/config_keys.h"

namespace bitlaw {
namespace {

constexpr std::uintmax_t kMaxBytes = 10'000'000;  // of YAML: far beyond any experiment, read in a second or two
constexpr std::size_t kMaxNesting = 16;

std::string read_yaml(const std::filesystem::path& file) {
  std::error_code unknown;
  const std::uintmax_t size = std::filesystem::file_size(file, unknown);
  if (!unknown && size > kMaxBytes) {
    throw InputError(SourceLocation{.file = file.string()},
                     fmt::format("this file has {} bytes and an experiment at most {}, so it is not read; is it the "
                                 "right file?",
                                 size, kMaxBytes));
  }
  return read_file(file);
}

std::vector<YamlNode> extended(const YamlNode& root) {
  const YamlNode* extends = root.find("extends");
  if (extends == nullptr) return {};
  if (extends->kind == YamlNode::Kind::Scalar) return {*extends};
  return list_in(*extends, "extends");
}

/// `open` are the files that led here. Appends the file to `files`, the texts of files that are extended to `comments`.
YamlNode read_merged(const std::filesystem::path& file, const std::string& text,
                     std::vector<std::filesystem::path> open, std::vector<std::string>& files, std::string& comments) {
  files.push_back(file.string());
  YamlNode root = parse_yaml(text, file.string());
  map_in(root, "the file");
  open.push_back(std::filesystem::weakly_canonical(file));
  YamlNode merged;
  merged.kind = YamlNode::Kind::Map;
  merged.place = root.place;
  for (const YamlNode& name : extended(root)) {
    const std::filesystem::path base = file.parent_path() / text_in(name, "extends");
    const bool again = std::find(open.begin(), open.end(), std::filesystem::weakly_canonical(base)) != open.end();
    if (again || open.size() > kMaxNesting) {
      throw InputError(name.place, fmt::format("extends leads back to '{}' or too deep, so reading it would not end; "
                                               "take it out of one of the files",
                                               name.text));
    }
    const std::string base_text = at_place(name.place, [&] { return read_yaml(base); });
    comments += as_comments("extends " + name.text, base_text);
    merge_into(merged, read_merged(base, base_text, open, files, comments));
  }
  merge_into(merged, root);
  std::erase_if(merged.children, [](const YamlNode& child) { return child.key == "extends"; });
  return merged;
}

/// The value of this name in `map`; a map, which stands at `place`, where there is none.
YamlNode& map_below(YamlNode& map, const std::string& name, const SourceLocation& place) {
  auto found = std::find_if(map.children.begin(), map.children.end(), [&](const auto& c) { return c.key == name; });
  if (found == map.children.end()) {
    found = map.children.emplace(found);
    found->key = name;
    found->key_place = place;
  }
  if (found->kind == YamlNode::Kind::Null) {
    found->kind = YamlNode::Kind::Map;
    found->place = place;
  }
  return *found;
}

/// Makes the maps that lead to what an assignment sets in a section whose keys are no run's: the section and, for a
/// key with further dots, the map that its first word names. "sweep.grid.model.width" is model.width in grid in sweep.
void make_maps(YamlNode& root, const std::string& path, const SourceLocation& place) {
  for (const std::string section : {"sweep", "precisions"}) {
    if (!path.starts_with(section + ".")) continue;
    YamlNode& map = map_below(root, section, place);
    const std::string key = path.substr(section.size() + 1);
    const auto leads = [&](const YamlNode& child) { return key == child.key || key.starts_with(child.key + "."); };
    const bool there = std::any_of(map.children.begin(), map.children.end(), leads);
    if (const auto dot = key.find('.'); !there && dot != std::string::npos) map_below(map, key.substr(0, dot), place);
  }
}

/// "model.width=[32, 64]": a list for a key that takes none.
bool is_axis(const std::string& assignment) {
  const std::string path = assignment.substr(0, assignment.find('='));
  const ConfigKey* key = find_config_key(path);
  const bool takes_list = key != nullptr ? key->takes_list : path != "precision";
  if (takes_list || path.size() == assignment.size()) return false;
  return parse_value(assignment.substr(path.size() + 1), "--set " + assignment).kind == YamlNode::Kind::List;
}

}  // namespace

std::string as_comments(const std::string& heading, const std::string& text) {
  std::string comments = fmt::format("# {}:\n", heading);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    comments += fmt::format("#   {}\n", text.substr(begin, end - begin));
    begin = end + 1;
  }
  return comments;
}

ExperimentFile read_experiment_file(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  ExperimentFile result;
  result.text = read_yaml(file);
  std::string bases;
  result.root = read_merged(file, result.text, {}, result.files, bases);
  if (!result.text.ends_with('\n')) result.text += '\n';
  std::set<std::string> paths;
  for (const std::string& assignment : overrides) {
    const std::string path = assignment.substr(0, assignment.find('='));
    const SourceLocation place{.file = "--set " + assignment};
    if (!paths.insert(path).second) refuse_given_twice(place.file, path);
    YamlNode* target = &result.root;
    if (is_axis(assignment)) {
      target = &map_below(map_below(result.root, "sweep", place), "grid", place);
      map_below(*target, path, place);  // an axis by itself beside one of a whole group
    } else {
      make_maps(result.root, path, place);
    }
    set_value(*target, assignment);
    result.text += fmt::format("# --set {}\n", assignment);
  }
  result.text += bases;
  return result;
}

}  // namespace bitlaw
