#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/process.h"

namespace bitlaw {

/// The system did not let a file be written: a full disk, a folder without permission.
class WriteError : public InputError {
 public:
  using InputError::InputError;
};

/// A file of ours that no longer holds what was written: cut short, changed, or another's under its name.
class DamagedFile : public InputError {
 public:
  using InputError::InputError;
};

/// The errors of a file that cannot be read or written; `why` is the system's reason.
[[noreturn]] void refuse_reading(const std::filesystem::path& path, std::string_view why);  ///< InputError
[[noreturn]] void refuse_writing(const std::filesystem::path& path, std::string_view why);  ///< WriteError

/// What errno says of the last call that failed.
std::string system_reason();

/// The whole file as bytes. InputError when it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Whether there is something at `path`. InputError when a folder on the way may not be searched.
bool file_exists(const std::filesystem::path& path);

/// The file that writing to `path` replaces: links are followed, also one to nothing. InputError when that exists and
/// is not a regular file, when its folder does not exist, and when it or a link on the way lies in /dev (/dev/shm
/// aside), /proc or /sys, where a rename would replace a device.
std::filesystem::path file_to_replace(const std::filesystem::path& path);

/// Replaces file_to_replace(path) in one step: `write` fills a temporary file beside it, which is flushed to disk and
/// renamed, and so is its folder. A reader, a crash or a full disk sees the old file or the new one, never half of
/// either. WriteError when that fails. A process that is killed leaves its temporary file behind: see
/// remove_temporary_files.
void write_atomically(const std::filesystem::path& path,
                      const std::function<void(const std::filesystem::path& temporary)>& write);

/// The same for content at hand.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Creates a file in one step, or returns false and leaves what is there: of several writers, on any hosts of a shared
/// file system, NFS included, one wins, and a reader sees its whole content. WriteError when it fails otherwise.
bool write_new_file(const std::filesystem::path& path, std::string_view content);

/// The step itself: gives `temporary`, flushed and with no other name, the name `path` as well by link(2); false where
/// that exists.
bool link_new(const std::filesystem::path& temporary, const std::filesystem::path& path);

/// A name beside `path` that no other call, process or host gives.
std::filesystem::path temporary_name(const std::filesystem::path& path);

/// A file that was to be renamed, or still will be.
struct UnfinishedFile {
  std::filesystem::path path;
  Life writer = Life::Unknown;
};

/// The temporary files in `folder`, not in those in it.
std::vector<UnfinishedFile> temporary_files(const std::filesystem::path& folder);

/// Removes those of them whose writers are known to be dead.
void remove_temporary_files(const std::filesystem::path& folder);

}  // namespace bitlaw
