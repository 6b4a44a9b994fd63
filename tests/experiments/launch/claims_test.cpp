#include "experiments/launch/claims.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <vector>

#include "core/base/file.h"
#include "experiments/launch/attempts.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {
namespace {

/// A claim as a process of another host leaves it.
std::string foreign_claim(std::uint64_t beat, double beat_seconds = 0.02) {
  return fmt::format(
      R"({{"beat": "{:020}","part":"0.250","beat_seconds":{},"from":"","host":"far","pid":1,"space":"0123456789abcdef","start":7}})"
      "\n",
      beat, beat_seconds);
}

/// Runs `body` in a child process, which is killed by SIGKILL at its end, and waits for it.
void in_killed_process(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
}

bool wait_at_most(double seconds, const std::function<bool()>& ready) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < end) {
    if (ready()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST_CASE("claims: one of many gets a run, and another one after its release") {
  const TemporaryFolder folder;
  std::vector<std::unique_ptr<Claims>> all;
  for (int i = 0; i < 8; ++i) all.push_back(std::make_unique<Claims>());
  std::atomic<int> taken{0}, owner{-1};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        if (!all[static_cast<std::size_t>(i)]->take(folder.path())) return;
        ++taken;
        owner = i;
      });
    }
  }
  CHECK(taken == 1);
  CHECK(files_in(folder.path()) == 1);
  Claims& holder = *all[static_cast<std::size_t>(owner)];
  Claims& other = *all[static_cast<std::size_t>((owner + 1) % 8)];
  CHECK(holder.holds(folder.path()));
  CHECK_FALSE(other.holds(folder.path()));
  CHECK(other.seen_alive(folder.path()));
  holder.release(folder.path());
  CHECK(files_in(folder.path()) == 0);
  CHECK(other.take(folder.path()));
}

TEST_CASE("claims: a killed process's run is free at once, by one of many, and its end is recorded") {
  const TemporaryFolder folder;
  in_killed_process([&] {
    Claims claims;
    if (!claims.take(folder.path())) ::_exit(1);
    folder.write("checkpoint.bitlaw-tmp-" + word_of(this_process()) + "-9", "half");
    ::kill(::getpid(), SIGKILL);
  });
  REQUIRE(std::filesystem::exists(folder / "claim"));
  std::atomic<int> taken{0};
  {
    std::vector<std::unique_ptr<Claims>> all;
    for (int i = 0; i < 8; ++i) all.push_back(std::make_unique<Claims>());
    {
      std::vector<std::jthread> threads;
      for (auto& claims : all) {
        threads.emplace_back([&] { taken += claims->take(folder.path()) ? 1 : 0; });
      }
    }
    CHECK(taken == 1);
    const auto attempts = attempts_in(folder.path());
    REQUIRE(attempts.size() == 1);
    CHECK(attempts[0].kind == FailureKind::Killed);
    CHECK(attempts[0].message.find("ended before it had saved anything new") != std::string::npos);
    CHECK(files_in(folder.path()) == 2);  // the claim and the attempt: what was half-written has gone
  }
  CHECK_FALSE(std::filesystem::exists(folder / "claim"));
}

TEST_CASE("claims: who had saved a new checkpoint came further, so earlier attempts do not count any more") {
  const TemporaryFolder folder;
  record_attempt(folder.path(), {.kind = FailureKind::OutOfMemory, .message = "before"});
  in_killed_process([&] {
    Claims claims;
    if (!claims.take(folder.path())) ::_exit(1);
    write_file_atomically(folder / "checkpoint", "step 1");
    ::kill(::getpid(), SIGKILL);
  });
  Claims claims;
  CHECK(claims.take(folder.path()));
  CHECK(attempts_in(folder.path()).empty());
}

TEST_CASE("claims: another host's claim is taken when its beat stands still, however the clocks are set") {
  const TemporaryFolder folder;
  const std::filesystem::path claim = folder.write("claim", foreign_claim(1));
  Claims claims(/*beat_seconds=*/0.02, /*missed_beats=*/100);  // two seconds
  CHECK_FALSE(claims.take(folder.path()));
  for (const auto age : {std::chrono::hours(-1000), std::chrono::hours(1000)}) {  // a file's time says nothing
    std::filesystem::last_write_time(claim, std::filesystem::file_time_type::clock::now() + age);
    CHECK_FALSE(claims.take(folder.path()));
  }
  CHECK_FALSE(claims.seen_alive(folder.path()));
  const auto start = std::chrono::steady_clock::now();
  CHECK(wait_at_most(20, [&] { return claims.take(folder.path()); }));
  CHECK(std::chrono::steady_clock::now() - start > std::chrono::milliseconds(1000));
  const auto attempts = attempts_in(folder.path());
  REQUIRE(attempts.size() == 1);
  CHECK(attempts[0].kind == FailureKind::HostLost);
  CHECK(attempts[0].message == "process 1 on far gave no sign any more before it had saved anything new");
}

TEST_CASE("claims: another host's claim stays while it beats") {
  const TemporaryFolder folder;
  folder.write("claim", foreign_claim(0));
  Claims claims(/*beat_seconds=*/0.05, /*missed_beats=*/20);
  for (std::uint64_t beat = 1; beat <= 40; ++beat) {
    CHECK_FALSE(claims.take(folder.path()));
    folder.write("claim", foreign_claim(beat));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(claims.seen_alive(folder.path()));
}

TEST_CASE("claims: who beats seldom is given the longer time") {
  const TemporaryFolder folder;
  folder.write("claim", foreign_claim(0, 60));
  Claims claims(/*beat_seconds=*/0.01, /*missed_beats=*/5);
  CHECK_FALSE(wait_at_most(0.5, [&] { return claims.take(folder.path()); }));
}

TEST_CASE("claims: an owner raises its beat, and sees when another took its run") {
  const TemporaryFolder folder;
  Claims claims(/*beat_seconds=*/0.01);
  REQUIRE(claims.take(folder.path()));
  const std::string first = read_claim(folder.path())->beat;
  CHECK(wait_at_most(20, [&] { return read_claim(folder.path())->beat > first; }));
  CHECK(read_claim(folder.path())->owner == this_process());
  CHECK(claims.holds(folder.path()));
  claims.tell_part(folder.path(), 0.4375);
  CHECK(wait_at_most(20, [&] { return read_claim(folder.path())->part == 0.438; }));
  std::filesystem::remove(folder / "claim");
  folder.write("claim", foreign_claim(3));
  CHECK(wait_at_most(20, [&] { return !claims.holds(folder.path()); }));
  claims.release(folder.path());
  CHECK(read_claim(folder.path())->owner.host == "far");
  CHECK(read_claim(folder.path())->part == 0.25);
}

TEST_CASE("claims: a file that is no claim is judged like a silent host's") {
  const TemporaryFolder folder;
  folder.write("claim", "{\"beat\": \"000000");
  Claims claims(/*beat_seconds=*/0.01, /*missed_beats=*/5);
  CHECK_FALSE(claims.take(folder.path()));
  CHECK(wait_at_most(20, [&] { return claims.take(folder.path()); }));
}

}  // namespace
}  // namespace bitlaw
