#include "experiments/launch/attempts.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/base/file.h"
#include "core/base/process.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "attempt-", kSuffix = ".json";
constexpr std::array kKinds{FailureKind::Killed, FailureKind::HostLost, FailureKind::OutOfMemory, FailureKind::Error};

std::vector<fs::path> attempt_files(const fs::path& run_folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(run_folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(kPrefix) && name.ends_with(kSuffix)) files.push_back(entry->path());
  }
  return files;
}

Attempt attempt_in(const fs::path& file) {
  try {
    const nlohmann::json json = nlohmann::json::parse(read_file(file));
    Attempt attempt{.kind = FailureKind::Error, .message = json.at("message")};
    for (const FailureKind kind : kKinds) {
      if (json.at("kind") == to_text(kind)) attempt.kind = kind;
    }
    return attempt;
  } catch (const std::exception&) {  // the count matters, the words only help
    return {.kind = FailureKind::Error, .message = fmt::format("{} cannot be read", file.string())};
  }
}

}  // namespace

void record_attempt(const fs::path& run_folder, const Attempt& attempt) {
  static std::atomic<unsigned> counter{0};
  const ProcessName process = this_process();
  const nlohmann::json json{{"kind", to_text(attempt.kind)}, {"message", attempt.message}, {"told_by", process.host}};
  write_file_atomically(run_folder / fmt::format("{}{}-{}{}", kPrefix, word_of(process), counter++, kSuffix),
                        json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

std::vector<Attempt> attempts_in(const fs::path& run_folder) {
  std::vector<Attempt> attempts;
  for (const fs::path& file : attempt_files(run_folder)) attempts.push_back(attempt_in(file));
  return attempts;
}

void forget_attempts(const fs::path& run_folder) {
  std::error_code another_did;
  for (const fs::path& file : attempt_files(run_folder)) fs::remove(file, another_did);
}

std::string_view to_text(FailureKind kind) {
  switch (kind) {
    case FailureKind::Killed:
      return "killed";
    case FailureKind::HostLost:
      return "host lost";
    case FailureKind::OutOfMemory:
      return "out of memory";
    case FailureKind::Error:
      return "error";
  }
  return "";
}

}  // namespace bitlaw
