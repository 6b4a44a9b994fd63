#include "experiments/launch/results_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/base/error.h"
#include "core/base/file.h"

namespace bitlaw {
namespace {

constexpr const char *kMark = ".bitlaw", *kMarkOfEarlierVersions = ".lock";

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason) {
  throw InputError(fmt::format("{}: cannot be written ({}), so results would be lost; choose another folder with --out",
                               path.string(), reason));
}

/// A folder without our mark must not hold what we would replace.
void refuse_foreign_files(const std::filesystem::path& path) {
  if (is_results_folder(path)) return;
  for (const char* name : {"sweep.h5", "report.txt", "report.html"}) {
    if (!file_exists(path / name)) continue;
    throw InputError(
        fmt::format("{}: holds a {} that no bitlaw run wrote, so it would be lost; choose another folder "
                    "with --out, or move the file away",
                    path.string(), name));
  }
}

}  // namespace

bool is_results_folder(const std::filesystem::path& path) {
  return file_exists(path / kMark) || file_exists(path / kMarkOfEarlierVersions);
}

void open_results_folder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) refuse(path, error.message());
  refuse_foreign_files(path);
  const int mark = ::open((path / kMark).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (mark < 0) refuse(path, std::strerror(errno));
  ::close(mark);
  remove_temporary_files(path);
}

std::filesystem::path results_folder(const std::optional<std::string>& out, const std::string& experiment) {
  if (!out) return std::filesystem::path("results") / experiment;
  if (out->empty()) {
    throw InputError(
        fmt::format("--out is empty, so it names no folder; name one, or leave --out away for results/{}", experiment));
  }
  return *out;
}

}  // namespace bitlaw
