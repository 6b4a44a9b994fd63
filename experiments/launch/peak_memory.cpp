#include "experiments/launch/peak_memory.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdlib.h>
#include <algorithm>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>

#include "simulators/train/trainer.h"

namespace bitlaw {
namespace {

/// Of this process so far [bytes].
std::int64_t peak_so_far() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

/// Resident pages of this process that belong to files, its program and libraries [bytes]. A child gets none of them
/// from its parent and has those alone that it used itself.
std::int64_t resident_of_files() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kilobytes = 0;
    if (word == "RssFile:" && status >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

/// Trains a little and tells the peak, without what belongs to files; never returns.
[[noreturn]] void try_run(const PlannedRun& run, int threads, const std::filesystem::path& folder, int out) {
  constexpr int kSteps = 2;
  int code = 1;
  try {
    TrainOptions options;
    options.checkpoint = folder / "checkpoint";
    options.threads = threads;
    options.should_stop = [steps = 0]() mutable { return ++steps == kSteps; };
    const TrainConfig config = run.config();
    train(config, *run.data, options);
    const std::int64_t peak = peak_so_far() - resident_of_files();
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
  const pid_t child = ::fork();
  if (child == 0) try_run(run, threads, name, ends[1]);
  ::close(ends[1]);
  std::int64_t peak = 0;
  const bool told = child > 0 && ::read(ends[0], &peak, sizeof peak) == sizeof peak;
  ::close(ends[0]);
  if (child > 0) ::waitpid(child, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(name, ignored);
  if (!told) return std::nullopt;
  return std::max(peak + resident_of_files(), peak_so_far());  // reading the data may have taken more
}

std::string peak_memory_text(const PlannedRun& run, int threads) {
  const auto peak = probe_peak_memory(run, threads);
  if (!peak) return "peak memory: could not be tried; is there enough of it, and a temporary folder?";
  return fmt::format("peak memory: about {:.1f} MB", static_cast<double>(*peak) / 1e6);
}

}  // namespace bitlaw
