#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitlaw {

/// The tokens of the files, one file after the other; little-endian uint16, in either published layout:
/// nanoGPT's, tokens from the first byte; or llm.c's, after a header of 256 int32 that starts with the magic number
/// 20240520, version 1 and the number of tokens.
///
/// InputError when a file is missing, is neither layout, or has a token that is not below `vocabulary`.
std::vector<std::uint16_t> read_tokens(const std::vector<std::string>& files, int vocabulary);

}  // namespace bitlaw
