#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace bitlaw {

/// The whole file as bytes. InputError when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Replaces `path` in one step: `write` fills a temporary file beside it, which is flushed to disk and renamed.
/// A reader, a crash or a full disk sees the old file or the new one, never half of either. InputError when that fails.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& temporary)>& write);

/// The same for content at hand.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace bitlaw
