#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

/// The bytes of a file. One that starts as gzip does is unpacked, whatever its name (dictzip's .dz is gzip).
///
/// InputError when it is missing, unreadable, empty or broken gzip; `content` says there what is lacking: "text",
/// "data".
std::vector<std::uint8_t> read_unpacked(const std::string& file, std::string_view content);

}  // namespace bitlaw
