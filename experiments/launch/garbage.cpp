#include "experiments/launch/garbage.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <unordered_set>

#include "core/base/file.h"

namespace bitlaw {
namespace {

std::uintmax_t bytes_of(const std::filesystem::path& path) {
  if (std::filesystem::is_regular_file(path)) return std::filesystem::file_size(path);
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

}  // namespace

std::vector<Garbage> garbage(const Experiment& experiment, const std::filesystem::path& results) {
  std::vector<Garbage> garbage;
  if (!file_exists(results / "runs")) return garbage;
  std::unordered_set<std::string> planned;
  for (const PlannedRun& run : experiment.runs) planned.insert(run.id);
  for (const auto& folder : std::filesystem::directory_iterator(results / "runs")) {
    if (!folder.is_directory() || file_exists(folder.path() / "claim")) continue;
    if (!planned.contains(folder.path().filename().string())) {
      garbage.push_back({folder.path(), bytes_of(folder.path())});
      continue;
    }
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      if (file.path().filename().string().find(".damaged") == std::string::npos) continue;
      garbage.push_back({file.path(), bytes_of(file.path())});
    }
  }
  std::sort(garbage.begin(), garbage.end(), [](const Garbage& a, const Garbage& b) { return a.path < b.path; });
  return garbage;
}

void remove(const std::vector<Garbage>& garbage) {
  for (const Garbage& one : garbage) {
    std::error_code error;
    std::filesystem::remove_all(one.path, error);
    if (error) refuse_writing(one.path, error.message());
  }
}

}  // namespace bitlaw
