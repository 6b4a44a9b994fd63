#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/sweep/yaml_node.h"

namespace bitlaw {

/// An experiment's YAML as it is planned: files that it extends and overrides worked in.
struct ExperimentFile {
  YamlNode root;                   ///< a map; every value knows the file and line, or the override, that it came from
  std::vector<std::string> files;  ///< the file itself, then those that it extends, as they were opened
  std::string text;  ///< of the file itself, then comment lines: the overrides, and the files that it extends
};

/// Reads a file, the files that its key `extends` names (one or a list, relative to it, and what they extend), and
/// carries out `overrides`, assignments "key=value" as of --set.
///
/// What a file says replaces what those before say, value by value: maps are merged, all else is replaced. A list for
/// a run's key that takes none is an axis of sweep.grid. InputError "file:line:column: what, why; remedy".
ExperimentFile read_experiment_file(const std::filesystem::path& file, const std::vector<std::string>& overrides);

/// Comment lines of what another text says: "# heading:", then each of its lines, indented.
std::string as_comments(const std::string& heading, const std::string& text);

}  // namespace bitlaw
