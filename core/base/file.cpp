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

void refuse_reading(const fs::path& path, std::string_view why) {
  throw InputError(fmt::format("{}: cannot be read ({}); check the path and its permissions", path.string(), why));
}

void refuse_writing(const fs::path& path, std::string_view why) {
  throw InputError(
      fmt::format("{}: cannot be written ({}), so what it held before is still there; make the folder "
                  "writable and room on the disk",
                  path.string(), why));
}

namespace {

constexpr std::string_view kTemporaryMark = ".bitlaw-tmp-";

std::string reason() { return errno != 0 ? std::strerror(errno) : "unknown reason"; }

void flush_to_disk(const fs::path& temporary, const fs::path& path) {
  const int file = ::open(temporary.c_str(), O_RDONLY);
  if (file < 0) refuse_writing(path, reason());
  const int failed = ::fsync(file);
  const std::string why = reason();
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

}  // namespace

std::string read_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) refuse_reading(path, "it is a folder, not a file");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.is_open() || in.bad()) refuse_reading(path, reason());
  return content;
}

bool file_exists(const fs::path& path) {
  std::error_code error;
  const bool exists = fs::exists(path, error);
  if (error) refuse_reading(path, error.message());
  return exists;
}

void write_atomically(const fs::path& path, const std::function<void(const fs::path& temporary)>& write) {
  const TemporaryFile temporary(path.string() + unique_suffix());
  write(temporary.path());
  flush_to_disk(temporary.path(), path);
  std::error_code error;
  fs::rename(temporary.path(), path, error);
  if (error) refuse_writing(path, error.message());
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_atomically(path, [&](const fs::path& temporary) {
    errno = 0;
    std::ofstream out(temporary, std::ios::binary);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    out.close();
    if (!out) refuse_writing(path, reason());
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
