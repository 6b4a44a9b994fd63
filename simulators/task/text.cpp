#include "simulators/task/text.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string_view>

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
  return "check the path";
}

GzipFile open(const std::string& file) {
  if (std::filesystem::is_directory(file)) {
    throw InputError(file + ": is a directory, so it has no bytes to read; name the files in it");
  }
  errno = 0;
  GzipFile opened(gzopen(file.c_str(), "rb"));
  if (opened) return opened;
  const int reason = errno;
  throw InputError(fmt::format("{}: {}, so there is no text to train on; {}", file, std::strerror(reason),
                               reason == ENOENT ? missing_remedy(file) : "make it readable or name another file"));
}

[[noreturn]] void refuse(const std::string& file, int status, std::string_view reason) {
  const std::string place = file + ": ";  // zlib says it too, but not of lack of memory
  if (reason.starts_with(place)) reason.remove_prefix(place.size());
  if (status == Z_DATA_ERROR || status == Z_BUF_ERROR) {
    throw InputError(
        fmt::format("{}broken gzip data ({}), so the text is incomplete; get the file again", place, reason));
  }
  throw InputError(
      fmt::format("{}cannot be read to its end ({}), so the text is incomplete; try again", place, reason));
}

void append_text(const std::string& file, std::vector<std::uint16_t>& tokens) {
  const GzipFile opened = open(file);
  const std::size_t before = tokens.size();
  std::array<unsigned char, 1 << 16> buffer;
  int count = 0;
  while ((count = gzread(opened.get(), buffer.data(), static_cast<unsigned>(buffer.size()))) > 0) {
    tokens.insert(tokens.end(), buffer.begin(), buffer.begin() + count);
  }
  int status = Z_OK;
  const char* reason = gzerror(opened.get(), &status);  // also reports data that stops in the middle of a stream
  if (status != Z_OK && status != Z_STREAM_END) refuse(file, status, reason);
  if (tokens.size() == before) throw InputError(file + ": is empty, so there is no text to train on; check the path");
}

}  // namespace

std::vector<std::uint16_t> read_text(const std::vector<std::string>& files) {
  std::vector<std::uint16_t> tokens;
  for (const std::string& file : files) append_text(file, tokens);
  return tokens;
}

}  // namespace bitlaw
