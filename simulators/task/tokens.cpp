#include "simulators/task/tokens.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <string_view>

#include "core/base/error.h"
#include "core/base/file.h"

namespace bitlaw {
namespace {

static_assert(std::endian::native == std::endian::little, "token files are little-endian and copied as they are");

constexpr std::size_t kHeaderBytes = 256 * sizeof(std::int32_t);
constexpr std::int32_t kMagic = 20240520;        // tokens of 16 bits
constexpr std::int32_t kMagicLlama3 = 20240801;  // tokens of 32 bits

std::int32_t header_word(std::string_view bytes, std::size_t index) {
  std::int32_t word;
  std::memcpy(&word, bytes.data() + index * sizeof(word), sizeof(word));
  return word;
}

/// What follows llm.c's header, or all of `bytes` when they do not start with one.
std::string_view token_bytes(const std::string& file, std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return bytes;
  if (header_word(bytes, 0) == kMagicLlama3) {
    throw InputError(file +
                     ": has the llm.c header of 32-bit tokens (magic 20240801), which do not fit 16 bits; "
                     "tokenize with a vocabulary of at most 65536");
  }
  if (header_word(bytes, 0) != kMagic) return bytes;
  if (const std::int32_t version = header_word(bytes, 1); version != 1) {
    throw InputError(
        fmt::format("{}: llm.c header of version {}, but only version 1 is known; write version 1", file, version));
  }
  const std::string_view tokens = bytes.substr(kHeaderBytes);
  if (const std::int64_t count = header_word(bytes, 2); count != static_cast<std::int64_t>(tokens.size() / 2)) {
    throw InputError(
        fmt::format("{}: the llm.c header promises {} tokens, but {} follow, so the file is cut or mixed; "
                    "get the file again",
                    file, count, tokens.size() / 2));
  }
  return tokens;
}

void append_tokens(const std::string& file, int vocabulary, std::vector<std::uint16_t>& tokens) {
  const std::string content = read_file(file);
  const std::string_view bytes = token_bytes(file, content);
  if (bytes.empty()) throw InputError(file + ": has no tokens, so there is nothing to train on; check the path");
  if (bytes.size() % 2 != 0) {
    throw InputError(
        fmt::format("{}: {} bytes are not whole 16-bit tokens, so this is no token file; "
                    "use kind: text for plain text",
                    file, bytes.size()));
  }
  const std::size_t before = tokens.size();
  tokens.resize(before + bytes.size() / 2);
  std::memcpy(tokens.data() + before, bytes.data(), bytes.size());
  for (std::size_t i = before; i < tokens.size(); ++i) {
    if (tokens[i] < vocabulary) continue;
    throw InputError(
        fmt::format("{}: token {} at position {} is not below the vocabulary {}, so the model has no "
                    "embedding for it; set vocabulary to at least {}",
                    file, tokens[i], i - before, vocabulary, tokens[i] + 1));
  }
}

}  // namespace

std::vector<std::uint16_t> read_tokens(const std::vector<std::string>& files, int vocabulary) {
  std::vector<std::uint16_t> tokens;
  for (const std::string& file : files) append_tokens(file, vocabulary, tokens);
  return tokens;
}

}  // namespace bitlaw
