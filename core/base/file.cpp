#include "core/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/process.h"

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

/// Content of a file, or names of a folder. `path` is what a failure is told of.
void flush_to_disk(const fs::path& file_or_folder, const fs::path& path) {
  const int file = ::open(file_or_folder.c_str(), O_RDONLY);
  if (file < 0) refuse_writing(path, system_reason());
  const bool failed = ::fsync(file) != 0 && errno != EINVAL;  // EINVAL: a file system that cannot
  const std::string why = system_reason();
  ::close(file);
  if (failed) refuse_writing(path, why);
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

/// The process that a temporary file is named after; nothing where the name is none of ours.
std::optional<ProcessName> writer_of(const std::string& name) {
  const auto mark = name.find(kTemporaryMark);
  if (mark == std::string::npos) return std::nullopt;
  std::istringstream words(name.substr(mark + kTemporaryMark.size()));
  ProcessName writer;
  char dash = 0;
  if (!std::getline(words, writer.space, '-') || !(words >> writer.pid >> dash >> writer.start)) return std::nullopt;
  return writer;
}

void write_and_flush(const fs::path& temporary, std::string_view content, const fs::path& path) {
  errno = 0;
  std::ofstream out(temporary, std::ios::binary);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (!out) refuse_writing(path, system_reason());
  flush_to_disk(temporary, path);
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

fs::path temporary_name(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  return fmt::format("{}{}{}-{}", path.string(), kTemporaryMark, word_of(this_process()),
                     counter.fetch_add(1, std::memory_order_relaxed));
}

void write_atomically(const fs::path& path, const std::function<void(const fs::path& temporary)>& write) {
  const fs::path target = file_to_replace(path);
  const TemporaryFile temporary(temporary_name(target));
  write(temporary.path());
  flush_to_disk(temporary.path(), path);
  std::error_code error;
  fs::rename(temporary.path(), target, error);
  if (error) refuse_writing(path, error.message());
  flush_to_disk(target.parent_path(), path);
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_atomically(path, [&](const fs::path& temporary) { write_and_flush(temporary, content, path); });
}

bool link_new(const fs::path& temporary, const fs::path& path) {
  if (::link(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    // NFS may have lost the answer of a call that succeeded: the file's own count of names tells.
    struct stat status {};
    const bool linked = ::stat(temporary.c_str(), &status) == 0 && status.st_nlink == 2;
    if (!linked && reason == EEXIST) return false;
    const bool cannot = reason == EPERM || reason == ENOTSUP || reason == ENOSYS;
    if (!linked) refuse_writing(path, cannot ? "its file system has no hard links" : std::strerror(reason));
  }
  flush_to_disk(path.parent_path(), path);
  return true;
}

bool write_new_file(const fs::path& path, std::string_view content) {
  const TemporaryFile temporary(temporary_name(path));
  write_and_flush(temporary.path(), content, path);
  return link_new(temporary.path(), path);
}

std::vector<UnfinishedFile> temporary_files(const fs::path& folder) {
  std::error_code error;
  std::vector<UnfinishedFile> found;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const auto writer = writer_of(entry->path().filename().string());
    if (writer) found.push_back({entry->path(), life_of(*writer)});
  }
  return found;
}

void remove_temporary_files(const fs::path& folder) {
  std::error_code harmless;  // one that cannot go does no harm
  for (const UnfinishedFile& file : temporary_files(folder)) {
    if (file.writer == Life::Dead) fs::remove(file.path, harmless);
  }
}

}  // namespace bitlaw
