#include "core/record/hdf5_seal.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/fingerprint.h"

namespace bitlaw::hdf5 {
namespace {

constexpr std::string_view kMark = "\nbitlaw seal ";
constexpr std::size_t kSealSize = kMark.size() + 32 + 1;  ///< with the fingerprint and a newline

}  // namespace

std::string seal_of(std::string_view file) { return fmt::format("{}{}\n", kMark, fingerprint(file)); }

void require_intact(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  if (bytes.size() < kSealSize) return;
  const std::string_view file(bytes.data(), bytes.size() - kSealSize);
  const std::string_view end = std::string_view(bytes).substr(file.size());
  if (!end.starts_with(kMark) || end == seal_of(file)) return;
  throw InputError(
      fmt::format("{}: is damaged, its bytes are not those that were written, so none of it can be trusted; restore it "
                  "or run the experiment again",
                  path.string()));
}

}  // namespace bitlaw::hdf5
