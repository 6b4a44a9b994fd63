#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/base/file.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {

inline const std::string kSmokeYaml = std::string(BITLAW_SOURCE_DIR) + "/experiments/configs/smoke.yaml";

/// The built program in a folder of its own, as a user starts it.
class Program {
 public:
  struct Output {
    int exit_code = -1;  ///< 128 + signal when killed by one
    std::string out, error;
  };

  const TemporaryFolder& folder() const { return folder_; }

  Output operator()(const std::vector<std::string>& words) { return finish(start(words)); }

  /// Starts without waiting.
  pid_t start(const std::vector<std::string>& words) {
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("fork");
    if (child > 0) return child;
    std::vector<std::string> copies = words;
    std::vector<char*> arguments{const_cast<char*>(BITLAW_PROGRAM)};
    for (std::string& word : copies) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    redirect(STDOUT_FILENO, streams_ / "out");
    redirect(STDERR_FILENO, streams_ / "error");
    if (::chdir(folder_.path().c_str()) != 0) ::_exit(126);
    ::execv(BITLAW_PROGRAM, arguments.data());
    ::_exit(127);
  }

  Output finish(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), text(streams_ / "out"),
            text(streams_ / "error")};
  }

 private:
  static void redirect(int stream, const std::string& file) {
    const int opened = ::open(file.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0644);
    ::dup2(opened, stream);
    ::close(opened);
  }
  static std::string text(const std::string& file) {
    return std::filesystem::file_size(file) == 0 ? "" : read_file(file);
  }

  TemporaryFolder folder_, streams_;
};

/// Waits until `ready`, at most a minute.
inline bool wait_for(const std::function<bool()>& ready) {
  for (int i = 0; i < 12000; ++i) {
    if (ready()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

/// Every result.json below `results`, by run, without what is measured on a clock and what follows from it.
inline std::map<std::string, nlohmann::json> results_in(const std::filesystem::path& results) {
  std::map<std::string, nlohmann::json> all;
  for (const auto& run : std::filesystem::directory_iterator(results / "runs")) {
    nlohmann::json result = nlohmann::json::parse(read_file(run.path() / "result.json"));
    result.erase("wall_seconds");
    result.erase("checksum");
    result.erase("timed_on");
    all[run.path().filename().string()] = std::move(result);
  }
  return all;
}

/// Files and folders below `folder`.
inline std::size_t entries_in(const std::filesystem::path& folder) {
  const std::filesystem::recursive_directory_iterator all(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

/// Exit code 2, exactly this line on stderr, nothing on stdout and nothing written.
inline void check_refused(const std::vector<std::string>& words, const std::string& message,
                          const std::map<std::string, std::string>& files = {}) {
  Program bitlaw;
  for (const auto& [name, content] : files) bitlaw.folder().write(name, content);
  const std::size_t entries = entries_in(bitlaw.folder().path());
  const auto output = bitlaw(words);
  CHECK(output.exit_code == 2);
  CHECK(output.error == message + "\n");
  CHECK(output.out == "");
  CHECK(entries_in(bitlaw.folder().path()) == entries);
}

}  // namespace bitlaw
