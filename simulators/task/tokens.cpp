#include "simulators/task/tokens.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <filesystem>
#include <fstream>

#include "core/base/error.h"

namespace bitlaw {
namespace {

static_assert(std::endian::native == std::endian::little, "token files are little-endian and copied as they are");

constexpr std::int32_t kMagic = 20240520;        // tokens of 16 bits
constexpr std::int32_t kMagicLlama3 = 20240801;  // tokens of 32 bits
using Header = std::array<std::int32_t, 256>;

/// Reads `size` bytes from the current position.
void read_bytes(std::ifstream& in, const std::string& file, void* to, std::uint64_t size) {
  if (!in.read(static_cast<char*>(to), static_cast<std::streamsize>(size))) {
    throw InputError(file + ": cannot be read to its end; check the disk and get the file again");
  }
}

/// Bytes of llm.c's header at the start, or 0 when the file has none. InputError when its tokens are not what we read.
std::uint64_t header_size(std::ifstream& in, const std::string& file, std::uint64_t size) {
  Header header{};
  if (size < sizeof(header)) return 0;
  read_bytes(in, file, header.data(), sizeof(header));
  in.seekg(0);
  const auto [magic, version, count] = std::array{header[0], header[1], header[2]};
  if (magic == kMagicLlama3) {
    throw InputError(file +
                     ": has the llm.c header of 32-bit tokens (magic 20240801), which do not fit 16 bits; "
                     "tokenize with a vocabulary of at most 65536");
  }
  if (magic != kMagic) return 0;
  if (version != 1) {
    throw InputError(
        fmt::format("{}: llm.c header of version {}, but only version 1 is known; write version 1", file, version));
  }
  const std::uint64_t follow = (size - sizeof(header)) / 2;
  if (count < 0 || static_cast<std::uint64_t>(count) != follow) {
    throw InputError(
        fmt::format("{}: the llm.c header promises {} tokens, but {} follow, so the file is cut or mixed; "
                    "get the file again",
                    file, count, follow));
  }
  return sizeof(header);
}

void append_tokens(const std::string& file, std::vector<std::uint16_t>& tokens) {
  if (!std::filesystem::is_regular_file(file)) {
    throw InputError(file + ": is no file, so there is nothing to train on; check the path");
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) throw InputError(file + ": cannot be opened, so there is nothing to train on; make it readable");
  const std::uint64_t size = std::filesystem::file_size(file);
  const std::uint64_t header = header_size(in, file, size);
  if (size == header) throw InputError(file + ": has no tokens, so there is nothing to train on; check the path");
  if (size % 2 != 0) {
    throw InputError(
        fmt::format("{}: {} bytes are not whole 16-bit tokens, so this is no token file; "
                    "use kind: text for plain text",
                    file, size - header));
  }
  const std::size_t before = tokens.size();
  tokens.resize(before + (size - header) / 2);
  in.seekg(static_cast<std::streamoff>(header));
  read_bytes(in, file, tokens.data() + before, size - header);
}

void require_below(const std::string& file, std::size_t first, const std::vector<std::uint16_t>& tokens,
                   int vocabulary) {
  for (std::size_t i = first; i < tokens.size(); ++i) {
    if (tokens[i] < vocabulary) continue;
    throw InputError(
        fmt::format("{}: token {} at position {} is not below the vocabulary {}, so the model has no "
                    "embedding for it; set vocabulary to at least {}",
                    file, tokens[i], i - first, vocabulary, tokens[i] + 1));
  }
}

}  // namespace

std::vector<std::uint16_t> read_tokens(const std::vector<std::string>& files, int vocabulary) {
  std::vector<std::uint16_t> tokens;
  for (const std::string& file : files) {
    const std::size_t first = tokens.size();
    append_tokens(file, tokens);
    require_below(file, first, tokens, vocabulary);
  }
  return tokens;
}

}  // namespace bitlaw
