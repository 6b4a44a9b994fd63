#include "core/base/file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"

using namespace bitlaw;

TEST_CASE("read_file: bytes come back as they are, also none") {
  const TemporaryFolder folder;
  const std::string bytes("a\0b\r\n\xff", 6);
  CHECK(read_file(folder.write("bytes", bytes)) == bytes);
  CHECK(read_file(folder.write("empty", "")).empty());
}

TEST_CASE("read_file: a missing file and a folder are refused by name") {
  const TemporaryFolder folder;
  const auto refusal = [](const std::string& path, const std::string& why) {
    return path + ": cannot be read (" + why + "); check the path and its permissions";
  };
  CHECK_THROWS_WITH_AS(read_file(folder / "none"), refusal(folder / "none", "No such file or directory").c_str(),
                       InputError);
  CHECK_THROWS_WITH_AS(read_file(folder.path()), refusal(folder.path(), "it is a folder, not a file").c_str(),
                       InputError);
}

TEST_CASE("write_atomically: a write that fails leaves the old file and nothing beside it") {
  const TemporaryFolder folder;
  const std::string path = folder.write("result", "old");
  CHECK_THROWS_AS(write_atomically(path,
                                   [&](const std::filesystem::path& temporary) {
                                     std::ofstream(temporary) << "half";
                                     throw std::runtime_error("the disk is full");
                                   }),
                  std::runtime_error);
  CHECK(read_file(path) == "old");
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++files;
  CHECK(files == 1);
  write_file_atomically(path, "new");
  CHECK(read_file(path) == "new");
}

TEST_CASE("write_file_atomically: a folder that does not exist is named with the remedy") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH_AS(
      write_file_atomically(folder / "none/result", "x"),
      (folder / "none/result: its folder does not exist, so nothing was written; make it, or choose another").c_str(),
      InputError);
}

TEST_CASE("write_file_atomically: follows links, also one to nothing, and keeps them") {
  const TemporaryFolder folder;
  folder.write("file", "old");
  std::filesystem::create_symlink("file", folder / "link");
  std::filesystem::create_symlink("link", folder / "link to link");
  std::filesystem::create_symlink("new", folder / "dangling");
  write_file_atomically(folder / "link to link", "new content");
  write_file_atomically(folder / "dangling", "made");
  CHECK(read_file(folder / "file") == "new content");
  CHECK(read_file(folder / "new") == "made");
  for (const char* link : {"link", "link to link", "dangling"}) CHECK(std::filesystem::is_symlink(folder / link));
}

TEST_CASE("write_file_atomically: refuses pipes, links to pipes, circles of links and the system's folders") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  std::filesystem::create_symlink("pipe", folder / "link");
  std::filesystem::create_symlink("circle", folder / "circle");
  std::filesystem::create_symlink("/proc/bitlaw-no-such-file", folder / "system");
  for (const char* name : {"pipe", "link", "circle", "system"}) {
    CHECK_THROWS_AS(write_file_atomically(folder / name, "x"), InputError);
  }
  CHECK(std::filesystem::is_fifo(folder / "pipe"));
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(std::filesystem::is_symlink(folder / "system"));
}

/// A temporary name of `path` that a process gave which has ended since.
std::string left_by_the_dead(const std::string& path) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string name = temporary_name(path).string();
    ::_exit(::write(ends[1], name.data(), name.size()) == static_cast<ssize_t>(name.size()) ? 0 : 1);
  }
  ::waitpid(child, nullptr, 0);
  std::string name(4096, '\0');
  name.resize(static_cast<std::size_t>(::read(ends[0], name.data(), name.size())));
  ::close(ends[0]);
  ::close(ends[1]);
  return name;
}

TEST_CASE("remove_temporary_files: takes what dead writers left, not what living ones or other hosts write") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "result", "kept");
  const std::filesystem::path left = left_by_the_dead(folder / "result");
  const std::filesystem::path live = temporary_name(folder / "result");
  const std::filesystem::path foreign = folder / "result.bitlaw-tmp-0123456789abcdef-1-1-0";
  for (const auto& path : {left, live, foreign}) std::ofstream(path) << "half";
  remove_temporary_files(folder.path());
  CHECK_FALSE(file_exists(left));
  CHECK(file_exists(live));
  CHECK(file_exists(foreign));
  CHECK(read_file(folder / "result") == "kept");
}

TEST_CASE("write_new_file: the first of many writers wins, and its content is whole") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "result";
  std::atomic<int> won{0};
  {
    std::vector<std::jthread> writers;
    for (char c = 'a'; c < 'a' + 8; ++c) {
      writers.emplace_back([&, c] { won += write_new_file(path, std::string(100000, c)) ? 1 : 0; });
    }
  }
  CHECK(won == 1);
  const std::string content = read_file(path);
  CHECK(content == std::string(100000, content[0]));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}
