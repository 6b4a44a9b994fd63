#include "experiments/launch/available_memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::max();

/// The number behind a word in a file of "word number" lines.
std::optional<std::int64_t> number_after(const fs::path& file, const std::string& word) {
  std::ifstream in(file);
  for (std::string read; in >> read;) {
    std::int64_t number = 0;
    if (read == word && in >> number) return number;
  }
  return std::nullopt;
}

/// The number that is all of a file; nothing for "max" and where there is no file.
std::optional<std::int64_t> number_in(const fs::path& file) {
  std::ifstream in(file);
  std::int64_t number = 0;
  return in >> number ? std::optional(number) : std::nullopt;
}

/// What the limit of one group leaves.
std::int64_t left_in(const fs::path& group, const char* limit, const char* usage, const char* cached) {
  const auto most = number_in(group / limit), used = number_in(group / usage);
  if (!most || !used) return kUnknown;
  return std::max<std::int64_t>(0, *most - *used + number_after(group / "memory.stat", cached).value_or(0));
}

/// The group of a line of /proc/self/cgroup, "0::/a/b" or "4:memory:/a/b", and those around it.
std::int64_t left_for(const std::string& line, const fs::path& groups) {
  const auto name = line.find(':'), path = line.find(':', name + 1);
  if (name == std::string::npos || path == std::string::npos) return kUnknown;
  const std::string controllers = line.substr(name + 1, path - name - 1);
  const bool unified = controllers.empty();
  if (!unified && ("," + controllers + ",").find(",memory,") == std::string::npos) return kUnknown;
  const fs::path top = unified ? groups : groups / "memory";
  std::int64_t left = kUnknown;
  for (fs::path inside = fs::path(line.substr(path + 1)).relative_path();; inside = inside.parent_path()) {
    left = std::min(
        left, unified ? left_in(top / inside, "memory.max", "memory.current", "inactive_file")
                      : left_in(top / inside, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"));
    if (inside.empty()) return left;
  }
}

}  // namespace

std::int64_t available_memory(const fs::path& root) {
  std::int64_t available = kUnknown;
  if (const auto kilobytes = number_after(root / "proc/meminfo", "MemAvailable:")) available = *kilobytes * 1024;
  std::ifstream lines(root / "proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    available = std::min(available, left_for(line, root / "sys/fs/cgroup"));
  }
  return available;
}

}  // namespace bitlaw
