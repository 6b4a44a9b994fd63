#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace bitlaw {

/// The InputErrors of a file that cannot be read or written; `why` is the system's reason.
[[noreturn]] void refuse_reading(const std::filesystem::path& path, std::string_view why);
[[noreturn]] void refuse_writing(const std::filesystem::path& path, std::string_view why);

/// The whole file as bytes. InputError when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Whether there is something at `path`. InputError when a folder on the way may not be searched.
bool file_exists(const std::filesystem::path& path);

/// Replaces `path` in one step: `write` fills a temporary file beside it, which is flushed to disk and renamed.
/// A reader, a crash or a full disk sees the old file or the new one, never half of either. InputError when that fails.
/// A process that is killed leaves its temporary file behind: see remove_temporary_files.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& temporary)>& write);

/// The same for content at hand.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Removes what killed writers left in `folder` and below. Only for who knows that nobody else writes there.
void remove_temporary_files(const std::filesystem::path& folder);

}  // namespace bitlaw
