#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitlaw {

/// The bytes of the files, one file after the other, as tokens 0 to 255.
///
/// A file that starts as gzip does is unpacked, whatever its name (dictzip's .dz is gzip); any other is taken as it is.
/// InputError when a file is missing, unreadable, empty or broken gzip.
std::vector<std::uint16_t> read_text(const std::vector<std::string>& files);

}  // namespace bitlaw
