#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace bitlaw {

/// A results folder that only this process trains in, for the object's life.
///
/// Creates the folder. InputError when that fails, the folder is not writable, it holds files that are not ours, or
/// another process holds it. The lock is
/// flock(2) on the file .lock, so the kernel releases it whatever way the process ends. What a killed run left
/// half-written is removed.
class ResultsFolder {
 public:
  explicit ResultsFolder(const std::filesystem::path& path);
  ~ResultsFolder();
  ResultsFolder(const ResultsFolder&) = delete;
  ResultsFolder& operator=(const ResultsFolder&) = delete;

 private:
  int lock_ = -1;
};

/// Where an experiment's results go: `out` when it is given, else results/<experiment>. InputError for an empty `out`.
std::filesystem::path results_folder(const std::optional<std::string>& out, const std::string& experiment);

}  // namespace bitlaw
