#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

namespace bitlaw {

/// A text in parts: each call gives the next one, which stays until the call after; empty at the end.
using TextChunks = std::function<std::string_view()>;

/// A file's text in parts of 64 KiB, whatever its size; one that starts as gzip does is unpacked. InputError when it
/// cannot be read or its gzip data are broken.
TextChunks chunks_of_file(const std::filesystem::path& path);

/// A text at hand, which must outlive the calls, in one part.
TextChunks chunks_of_text(std::string_view text);

}  // namespace bitlaw
