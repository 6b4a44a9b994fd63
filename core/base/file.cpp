#include "core/base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "core/base/error.h"

namespace bitlaw {
namespace {

std::string reason() { return errno != 0 ? std::strerror(errno) : "unknown reason"; }

void flush_to_disk(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY);
  if (file < 0) throw InputError(fmt::format("{}: cannot reopen to flush: {}", path.string(), reason()));
  const int failed = ::fsync(file);
  ::close(file);
  if (failed != 0) throw InputError(fmt::format("{}: cannot flush to disk: {}", path.string(), reason()));
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    throw InputError(fmt::format("{}: cannot be read: it is a directory; name a file", path.string()));
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.is_open() || in.bad()) throw InputError(fmt::format("{}: cannot be read: {}", path.string(), reason()));
  return content;
}

void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& temporary)>& write) {
  static std::atomic<unsigned> counter{0};
  // Unique per process and call, so that two writers of one path never share a temporary file.
  const std::filesystem::path temporary =
      path.string() + fmt::format(".tmp-{}-{}", ::getpid(), counter.fetch_add(1, std::memory_order_relaxed));
  try {
    write(temporary);
    flush_to_disk(temporary);
    std::filesystem::rename(temporary, path);
  } catch (const std::filesystem::filesystem_error& error) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw InputError(fmt::format("{}: cannot be replaced: {}; is the folder writable and the disk not full?",
                                 path.string(), error.code().message()));
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content) {
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    errno = 0;
    std::ofstream out(temporary, std::ios::binary);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    out.close();
    if (!out) {
      throw InputError(fmt::format("{}: cannot be written: {}; is the folder writable and the disk not full?",
                                   path.string(), reason()));
    }
  });
}

}  // namespace bitlaw
