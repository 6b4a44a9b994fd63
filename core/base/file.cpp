#include "core/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace bitlaw {

namespace fs = std::filesystem;

std::string system_reason() { return errno != 0 ? std::strerror(errno) : "unknown reason"; }

void refuse_reading(const fs::path& path, std::string_view why) {
  throw InputError(fmt::format("{}: cannot be read ({}); check the path and its permissions", path.string(), why));
}

void refuse_writing(const fs::path& path, std::string_view why) {
  throw WriteError(
      fmt::format("{}: cannot be written ({}), so what it held before is still there; make the folder "
                  "writable and room on the disk",
                  path.string(), why));
}

namespace {

constexpr std::string_view kTemporaryMark = ".bitlaw-tmp-";

void flush_to_disk(const fs::path& temporary, const fs::path& path) {
  const int file = ::open(temporary.c_str(), O_RDONLY);
  if (file < 0) refuse_writing(path, system_reason());
  const int failed = ::fsync(file);
  const std::string why = system_reason();
  ::close(file);
  if (failed != 0) refuse_writing(path, why);
}

/// Removes the temporary file unless it has become the real one.
class TemporaryFile {
 public:
  explicit TemporaryFile(fs::path path) : path_(std::move(path)) {}
  ~TemporaryFile() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Differs between calls, processes and hosts, so that two writers of one path never share a temporary file.
std::string unique_suffix() {
  static std::atomic<unsigned> counter{0};
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return fmt::format("{}{}-{}-{}", kTemporaryMark, host, ::getpid(), counter.fetch_add(1, std::memory_order_relaxed));
}

bool lies_in(const fs::path& path, const char* folder) {
  const fs::path inner = path.lexically_relative(folder);
  return !inner.empty() && *inner.begin() != "..";
}

/// The links of its folder followed, not its own.
fs::path with_real_folder(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  const fs::path folder = error ? fs::path() : fs::weakly_canonical(absolute.parent_path(), error);
  if (error) refuse_writing(path, error.message());
  return folder / absolute.filename();
}

}  // namespace

fs::path file_to_replace(const fs::path& path) {
  constexpr int kMostLinks = 40;  // as Linux follows
  fs::path target = with_real_folder(path);
  std::error_code error;
  for (int links = 0;; ++links) {
    if ((lies_in(target, "/dev") && !lies_in(target, "/dev/shm")) || lies_in(target, "/proc") ||
        lies_in(target, "/sys")) {
      throw InputError(
          fmt::format("{}: leads to {}, which belongs to the system, so no file can take its place; choose "
                      "another folder",
                      path.string(), target.string()));
    }
    if (!fs::is_symlink(fs::symlink_status(target, error))) break;
    if (links == kMostLinks) refuse_writing(path, "its links go round in a circle");
    const fs::path next = fs::read_symlink(target, error);
    if (error) refuse_writing(path, error.message());
    target = with_real_folder(target.parent_path() / next);
  }
  const fs::file_status status = fs::status(target, error);
  if (!fs::status_known(status)) refuse_writing(path, error.message());
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw InputError(fmt::format("{}: is not a regular file, so it cannot be replaced in one step; choose another name",
                                 path.string()));
  }
  if (!fs::is_directory(target.parent_path(), error)) {
    throw InputError(fmt::format("{}: its folder does not exist, so nothing was written; make it, or choose another",
                                 path.string()));
  }
  return target;
}

std::string read_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) refuse_reading(path, "it is a folder, not a file");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.is_open() || in.bad()) refuse_reading(path, system_reason());
  return content;
}

bool file_exists(const fs::path& path) {
  std::error_code error;
  const bool exists = fs::exists(path, error);
  if (error) refuse_reading(path, error.message());
  return exists;
}

void write_atomically(const fs::path& path, const std::function<void(const fs::path& temporary)>& write) {
  const fs::path target = file_to_replace(path);
  const TemporaryFile temporary(target.string() + unique_suffix());
  write(temporary.path());
  flush_to_disk(temporary.path(), path);
  std::error_code error;
  fs::rename(temporary.path(), target, error);
  if (error) refuse_writing(path, error.message());
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_atomically(path, [&](const fs::path& temporary) {
    errno = 0;
    std::ofstream out(temporary, std::ios::binary);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    out.close();
    if (!out) refuse_writing(path, system_reason());
  });
}

void remove_temporary_files(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().find(kTemporaryMark) != std::string::npos) found.push_back(entry->path());
  }
  for (const fs::path& path : found) fs::remove(path, error);  // one that cannot go does no harm
}

}  // namespace bitlaw
