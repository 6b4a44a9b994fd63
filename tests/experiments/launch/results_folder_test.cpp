#include "experiments/launch/results_folder.h"

#include <doctest/doctest.h>

#include <csignal>
#include <optional>

#include "core/base/error.h"
#include "experiments/launch/stop_signals.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {
namespace {

TEST_CASE("results folder: a place that cannot be one is refused") {
  const TemporaryFolder folder;
  const std::string path = folder.write("file", "not a folder") + "/results";
  const std::string message =
      path + ": cannot be written (Not a directory), so results would be lost; choose another folder with --out";
  CHECK_THROWS_WITH_AS(open_results_folder(path), message.c_str(), InputError);
}

TEST_CASE("results folder: many may use it, and what others write just now stays") {
  const TemporaryFolder folder;
  open_results_folder(folder.path());
  const std::string half = folder.write("sweep.h5.bitlaw-tmp-0123456789abcdef-1-1-0", "half");
  const std::string whole = folder.write("sweep.h5", "whole");
  open_results_folder(folder.path());
  CHECK(std::filesystem::exists(half));
  CHECK(std::filesystem::exists(whole));
}

TEST_CASE("results folder: files that no run wrote are not replaced") {
  const TemporaryFolder folder;
  folder.write("report.txt", "mine");
  const std::string message = folder.path().string() +
                              ": holds a report.txt that no bitlaw run wrote, so it would be lost; choose another "
                              "folder with --out, or move the file away";
  CHECK_THROWS_WITH_AS(open_results_folder(folder.path()), message.c_str(), InputError);
  std::filesystem::remove(folder / "report.txt");
  open_results_folder(folder.path());
  folder.write("report.txt", "ours");
  CHECK_NOTHROW(open_results_folder(folder.path()));
}

TEST_CASE("results folder: by the experiment's name unless --out names one") {
  CHECK(results_folder(std::nullopt, "x") == std::filesystem::path("results/x"));
  CHECK(results_folder("there", "x") == std::filesystem::path("there"));
  CHECK_THROWS_WITH_AS(results_folder("", "x"),
                       "--out is empty, so it names no folder; name one, or leave --out away for results/x",
                       InputError);
}

TEST_CASE("stop signals: the first asks for a stop, and what was there before comes back") {
  struct sigaction before {
  }, after{};
  ::sigaction(SIGTERM, nullptr, &before);
  {
    const StopSignals signals;
    CHECK_FALSE(StopSignals::stop_asked());
    std::raise(SIGTERM);
    CHECK(StopSignals::stop_asked());
    std::raise(SIGTERM);  // as schedulers do; the test would end here
    std::raise(SIGUSR1);
  }
  ::sigaction(SIGTERM, nullptr, &after);
  const bool restored = after.sa_handler == before.sa_handler;
  CHECK(restored);
  const StopSignals signals;
  CHECK_FALSE(StopSignals::stop_asked());  // an old signal does not stop a new run
}

}  // namespace
}  // namespace bitlaw
