#include "core/record/text_chunks.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace bitlaw {
namespace {

/// gzread passes on what is not gzip as it is.
class UnpackedFile {
 public:
  explicit UnpackedFile(const std::filesystem::path& path) : path_(path) {
    if (std::filesystem::is_directory(path)) refuse_reading(path, "Is a directory");
    errno = 0;
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) refuse_reading(path, system_reason());
  }

  std::string_view next() {
    const int count = gzread(file_.get(), buffer_.data(), static_cast<unsigned>(buffer_.size()));
    if (count > 0) return {buffer_.data(), static_cast<std::size_t>(count)};
    int status = Z_OK;
    const char* reason = gzerror(file_.get(), &status);  // also reports data that stop in the middle of a stream
    if (status != Z_OK && status != Z_STREAM_END) {
      throw InputError(fmt::format("{}: cannot be read to its end ({}), so rows would be missing; get the file again",
                                   path_.string(), reason));
    }
    return {};
  }

 private:
  struct Closer {
    void operator()(gzFile file) const { gzclose(file); }
  };
  std::filesystem::path path_;
  std::unique_ptr<gzFile_s, Closer> file_;
  std::vector<char> buffer_ = std::vector<char>(1 << 16);
};

}  // namespace

TextChunks chunks_of_file(const std::filesystem::path& path) {
  return [file = std::make_shared<UnpackedFile>(path)] { return file->next(); };
}

TextChunks chunks_of_text(std::string_view text) {
  return [text]() mutable { return std::exchange(text, {}); };
}

}  // namespace bitlaw
