#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace bitlaw {

/// What of a result file is not as README.md describes it.
struct SchemaReport {
  std::size_t runs = 0;
  std::vector<std::string> faults;  ///< of one line: "file.h5:/group/member: what, so what follows; remedy"
};

/// Reads a sweep file or a file of fits and compares it with what would be written of what was read, so the rules are
/// those of the reader and the writer: what it must hold, types, shapes, dimensions, units, and that whatever it says
/// twice it says alike. Beyond them: no null dataspace, no id twice, a loss where and only where a run has not
/// diverged. Content that no such file has is allowed, beside the fits in /fits. Changes nothing.
///
/// InputError when the file as a whole is none: missing, truncated, damaged, of another program, of a newer schema.
SchemaReport check_result_file(const std::filesystem::path& path);

}  // namespace bitlaw
