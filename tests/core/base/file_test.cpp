#include "core/base/file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <stdexcept>

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

TEST_CASE("remove_temporary_files: takes what a killed writer left, at any depth, and nothing else") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "runs/1");
  write_file_atomically(folder / "runs/1/result", "kept");
  std::filesystem::path left;
  CHECK_THROWS(write_atomically(folder / "runs/1/checkpoint", [&](const std::filesystem::path& temporary) {
    left = temporary;
    throw std::runtime_error("as if killed");
  }));
  std::ofstream(left) << "half";
  remove_temporary_files(folder.path());
  CHECK_FALSE(file_exists(left));
  CHECK(read_file(folder / "runs/1/result") == "kept");
}
