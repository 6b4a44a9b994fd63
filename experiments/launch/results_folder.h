#pragma once

#include <filesystem>

namespace bitlaw {

/// A results folder that only this process trains in, for the object's life.
///
/// Creates the folder. InputError when that fails, the folder is not writable, or another process holds it. The lock is
/// flock(2) on the file .lock, so the kernel releases it whatever way the process ends.
class ResultsFolder {
 public:
  explicit ResultsFolder(std::filesystem::path path);
  ~ResultsFolder();
  ResultsFolder(const ResultsFolder&) = delete;
  ResultsFolder& operator=(const ResultsFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace bitlaw
