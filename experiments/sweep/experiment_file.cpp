#include "experiments/sweep/experiment_file.h"

#include <fmt/format.h>

#include <algorithm>
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

/// `open` are the files that led here. Appends the texts of files that are extended to `comments`.
YamlNode read_merged(const std::filesystem::path& file, const std::string& text,
                     std::vector<std::filesystem::path> open, std::string& comments) {
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
    merge_into(merged, read_merged(base, base_text, open, comments));
  }
  merge_into(merged, root);
  std::erase_if(merged.children, [](const YamlNode& child) { return child.key == "extends"; });
  return merged;
}

/// The map of this name in `map`, which is made where there is none.
YamlNode& map_below(YamlNode& map, const std::string& name) {
  for (YamlNode& child : map.children) {
    if (child.key == name) return child;
  }
  YamlNode& child = map.children.emplace_back();
  child.kind = YamlNode::Kind::Map;
  child.key = name;
  return child;
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
  result.root = read_merged(file, result.text, {}, bases);
  if (!result.text.ends_with('\n')) result.text += '\n';
  for (const std::string& assignment : overrides) {
    YamlNode* target = &result.root;
    if (is_axis(assignment)) {
      target = &map_below(map_below(result.root, "sweep"), "grid");
      map_below(*target, assignment.substr(0, assignment.find('=')));  // an axis by itself beside one of a whole group
    }
    set_value(*target, assignment);
    result.text += fmt::format("# --set {}\n", assignment);
  }
  result.text += bases;
  return result;
}

}  // namespace bitlaw
