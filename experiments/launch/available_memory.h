#pragma once

#include <cstdint>
#include <filesystem>

namespace bitlaw {

/// Memory that this process and its children may still take without swapping [bytes]: MemAvailable of /proc/meminfo, or
/// what the control group's limit, or that of a group around it, leaves if that is less. What a group caches of files
/// that are not in use counts as free. `root` stands for / in tests. The largest number where nothing is known.
std::int64_t available_memory(const std::filesystem::path& root = "/");

}  // namespace bitlaw
