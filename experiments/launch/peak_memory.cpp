#include "experiments/launch/peak_memory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdlib.h>
#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "simulators/train/trainer.h"

namespace bitlaw {
namespace {

/// Of this process so far [bytes].
std::int64_t peak_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

/// A span of this process's addresses that shows a file, its program or a library.
struct MappedFile {
  std::uint64_t begin = 0, end = 0;
};

std::vector<MappedFile> mapped_files() {
  std::vector<MappedFile> found;
  std::ifstream maps("/proc/self/maps");  // proc(5): begin-end permissions offset device inode path
  for (std::string line; std::getline(maps, line);) {
    std::istringstream in(line);
    MappedFile file;
    char dash = 0;
    std::string permissions, offset, device;
    std::uint64_t inode = 0;
    if (in >> std::hex >> file.begin >> dash >> file.end >> permissions >> offset >> device >> std::dec >> inode &&
        inode != 0) {
      found.push_back(file);
    }
  }
  return found;
}

/// Numbers of the pages of files that are in memory for this process. A child has none of its parent's, only those that
/// it used itself; a process that trains uses both.
std::set<std::uint64_t> resident_pages_of_files() {
  constexpr std::uint64_t kPresent = std::uint64_t{1} << 63,
                          kOfFile = std::uint64_t{1} << 61;  // pagemap, kernel manual
  static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  std::set<std::uint64_t> resident;
  const int pagemap =
      ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);  // by system calls: it is read in whole entries
  for (const MappedFile& file : mapped_files()) {
    std::vector<std::uint64_t> entries((file.end - file.begin) / page);
    const auto got = ::pread(pagemap, entries.data(), entries.size() * sizeof entries[0],
                             static_cast<off_t>(file.begin / page * sizeof entries[0]));
    for (std::size_t i = 0; i * sizeof entries[0] < static_cast<std::size_t>(std::max<ssize_t>(got, 0)); ++i) {
      if ((entries[i] & kPresent) != 0 && (entries[i] & kOfFile) != 0) resident.insert(file.begin / page + i);
    }
  }
  if (pagemap >= 0) ::close(pagemap);
  return resident;
}

std::int64_t bytes_of(const std::set<std::uint64_t>& pages) {
  return static_cast<std::int64_t>(pages.size()) * ::sysconf(_SC_PAGESIZE);
}

/// Trains a little and tells the peak of a process that has these pages of files too; never returns.
[[noreturn]] void try_run(const PlannedRun& run, int threads, const std::filesystem::path& folder,
                          std::set<std::uint64_t> pages, int out) {
  constexpr int kSteps = 2;
  int code = 1;
  try {
    TrainOptions options;
    options.checkpoint = folder / "checkpoint";
    options.threads = threads;
    options.should_stop = [steps = 0]() mutable { return ++steps == kSteps; };
    const TrainConfig config = run.config();
    train(config, *run.data, options);
    const auto used_here = resident_pages_of_files();
    pages.insert(used_here.begin(), used_here.end());
    const std::int64_t peak = peak_so_far() - bytes_of(used_here) + bytes_of(pages);
    code = ::write(out, &peak, sizeof peak) == sizeof peak ? 0 : 1;
  } catch (const std::exception&) {  // the parent says what can be said
  }
  ::_exit(code);
}

}  // namespace

std::optional<std::int64_t> probe_peak_memory(const PlannedRun& run, int threads) {
  std::string name = (std::filesystem::temp_directory_path() / "bitlaw-probe-XXXXXX").string();
  int ends[2];
  if (::pipe(ends) != 0) return std::nullopt;
  if (::mkdtemp(name.data()) == nullptr) {
    ::close(ends[0]);
    ::close(ends[1]);
    return std::nullopt;
  }
  const auto pages = resident_pages_of_files();
  const pid_t child = ::fork();
  if (child == 0) try_run(run, threads, name, pages, ends[1]);
  ::close(ends[1]);
  std::int64_t peak = 0;
  const bool told = child > 0 && ::read(ends[0], &peak, sizeof peak) == sizeof peak;
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(name, ignored);
  if (!told) return std::nullopt;
  return std::max(peak, peak_so_far());  // reading the data may have taken more
}

std::string peak_memory_text(const PlannedRun& run, int threads) {
  const auto peak = probe_peak_memory(run, threads);
  if (!peak) return "peak memory: could not be tried; is there enough of it, and a temporary folder?";
  return fmt::format("peak memory: about {:.1f} MB", static_cast<double>(*peak) / 1e6);
}

}  // namespace bitlaw
