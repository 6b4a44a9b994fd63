#include "experiments/launch/results_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "core/base/error.h"
#include "core/base/file.h"

namespace bitlaw {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason) {
  throw InputError(fmt::format("{}: cannot be written ({}), so results would be lost; choose another folder with --out",
                               path.string(), reason));
}

/// A folder without our lock file must not hold what we would replace.
void refuse_foreign_files(const std::filesystem::path& path) {
  if (file_exists(path / ".lock")) return;
  for (const char* name : {"sweep.h5", "report.txt", "report.html"}) {
    if (!file_exists(path / name)) continue;
    throw InputError(
        fmt::format("{}: holds a {} that no bitlaw run wrote, so it would be lost; choose another folder "
                    "with --out, or move the file away",
                    path.string(), name));
  }
}

}  // namespace

ResultsFolder::ResultsFolder(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) refuse(path, error.message());
  refuse_foreign_files(path);
  lock_ = ::open((path / ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (lock_ < 0) refuse(path, std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    ::close(lock_);
    if (reason != EWOULDBLOCK) refuse(path, std::strerror(reason));
    throw InputError(
        fmt::format("{}: another bitlaw run is working in this folder, so both would train the same runs; "
                    "wait until it ends or choose another folder with --out",
                    path.string()));
  }
  remove_temporary_files(path);  // of a killed run: the lock says that nobody is writing here
}

ResultsFolder::~ResultsFolder() { ::close(lock_); }

std::filesystem::path results_folder(const std::optional<std::string>& out, const std::string& experiment) {
  if (!out) return std::filesystem::path("results") / experiment;
  if (out->empty()) {
    throw InputError(
        fmt::format("--out is empty, so it names no folder; name one, or leave --out away for results/{}", experiment));
  }
  return *out;
}

}  // namespace bitlaw
