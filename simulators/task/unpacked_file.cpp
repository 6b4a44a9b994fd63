#include "simulators/task/unpacked_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "core/base/error.h"

namespace bitlaw {
namespace {

struct Closer {
  void operator()(gzFile file) const { gzclose(file); }
};
using GzipFile = std::unique_ptr<gzFile_s, Closer>;

std::string missing_remedy(const std::string& file) {
  if (std::filesystem::path(file).filename() == "gcide.dict.dz") {
    return "install the Debian or Ubuntu package dict-gcide (./quickstart.sh does), or name your own text files";
  }
  if (file.find("/datasets/fashion-mnist/") != std::string::npos) {
    return "install the Debian or Ubuntu package dataset-fashion-mnist, or name your own files";
  }
  return "check the path";
}

GzipFile open(const std::string& file, std::string_view content) {
  if (std::filesystem::is_directory(file)) {
    throw InputError(file + ": is a directory, so it has no bytes to read; name the files in it");
  }
  errno = 0;
  GzipFile opened(gzopen(file.c_str(), "rb"));
  if (opened) return opened;
  const int reason = errno;
  throw InputError(fmt::format("{}: {}, so there is no {} to train on; {}", file, std::strerror(reason), content,
                               reason == ENOENT ? missing_remedy(file) : "make it readable or name another file"));
}

[[noreturn]] void refuse(const std::string& file, std::string_view content, int status, std::string_view reason) {
  const std::string place = file + ": ";  // zlib says it too, but not of lack of memory
  if (reason.starts_with(place)) reason.remove_prefix(place.size());
  if (status == Z_DATA_ERROR || status == Z_BUF_ERROR) {
    throw InputError(
        fmt::format("{}broken gzip data ({}), so the {} is incomplete; get the file again", place, reason, content));
  }
  throw InputError(
      fmt::format("{}cannot be read to its end ({}), so the {} is incomplete; try again", place, reason, content));
}

}  // namespace

std::vector<std::uint8_t> read_unpacked(const std::string& file, std::string_view content) {
  const GzipFile opened = open(file, content);
  std::vector<std::uint8_t> bytes;
  std::array<std::uint8_t, 1 << 16> buffer;
  int count = 0;
  while ((count = gzread(opened.get(), buffer.data(), static_cast<unsigned>(buffer.size()))) > 0) {
    bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + count);
  }
  int status = Z_OK;
  const char* reason = gzerror(opened.get(), &status);  // also reports data that stops in the middle of a stream
  if (status != Z_OK && status != Z_STREAM_END) refuse(file, content, status, reason);
  if (bytes.empty()) {
    throw InputError(fmt::format("{}: is empty, so there is no {} to train on; check the path", file, content));
  }
  return bytes;
}

}  // namespace bitlaw
