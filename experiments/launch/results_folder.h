#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace bitlaw {

/// Makes the folder ready for training, together with any number of other processes.
///
/// Creates the folder and in it the file .bitlaw, which says that its files are ours to replace. What killed processes
/// left half-written in it is removed. InputError when that fails, the folder is not writable, or it holds files that
/// are not ours.
void open_results_folder(const std::filesystem::path& path);

/// Whether the folder says that its files are ours.
bool is_results_folder(const std::filesystem::path& path);

/// Where an experiment's results go: `out` where given, else `results/<experiment>`. InputError for an empty `out`.
std::filesystem::path results_folder(const std::optional<std::string>& out, const std::string& experiment);

}  // namespace bitlaw
