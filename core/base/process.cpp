#include "core/base/process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <system_error>

#include "core/base/fingerprint.h"

namespace bitlaw {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string this_space() {
  std::error_code ignored;  // without /proc all containers of a machine are one space
  const std::string numbers = std::filesystem::read_symlink("/proc/self/ns/pid", ignored).string();
  return fingerprint(text_of("/proc/sys/kernel/random/boot_id") + numbers).substr(0, 16);
}

/// The start of a process that runs, by its number here.
std::optional<std::uint64_t> start_of(std::int64_t pid) {
  const std::string stat = text_of(fmt::format("/proc/{}/stat", pid));
  const auto name_end = stat.rfind(')');  // the name before it may hold anything
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(stat.substr(name_end + 1));
  constexpr int kState = 3, kStart = 22;
  std::string field;
  for (int i = kState; i <= kStart && fields >> field; ++i) {
    if (i == kState && (field == "Z" || field == "X")) return std::nullopt;
  }
  return fields ? std::optional(std::stoull(field)) : std::nullopt;
}

}  // namespace

ProcessName this_process() {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  const std::int64_t pid = ::getpid();
  return {.host = host, .space = this_space(), .pid = pid, .start = start_of(pid).value_or(0)};
}

std::string word_of(const ProcessName& process) {
  return fmt::format("{}-{}-{}", process.space, process.pid, process.start);
}

Life life_of(const ProcessName& process) {
  if (process.space != this_space()) return Life::Unknown;
  return start_of(process.pid) == process.start ? Life::Alive : Life::Dead;
}

}  // namespace bitlaw
