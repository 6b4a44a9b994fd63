#include "core/base/build_info.h"

#include <fmt/format.h>
#include <hwy/highway.h>
#include <hwy/targets.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "core/base/git_commit.h"

namespace bitlaw {
namespace {

std::string cpu_model() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang++ {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

/// The best instruction set that Highway sees here; targets are bits, the lowest set one is the best.
std::string vector_target() {
  const auto supported = hwy::SupportedTargets();
  return hwy::TargetName(supported & ~(supported - 1));
}

}  // namespace

BuildInfo build_info() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return {.version = BITLAW_VERSION,
          .commit = BITLAW_GIT_COMMIT,
          .compiler = compiler(),
          .host = host.data(),
          .cpu = fmt::format("{}, {}", cpu_model(), vector_target())};
}

std::string timed_on(int threads) { return fmt::format("{}, {} threads", build_info().cpu, threads); }

}  // namespace bitlaw
