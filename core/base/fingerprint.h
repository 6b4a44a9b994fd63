#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bitlaw {

/// 32 hexadecimal digits that identify `bytes`: the name-based (SHA-1) UUID of RFC 4122 §4.3 without its dashes.
/// Used for run ids, corpora and training states; equal bytes give equal fingerprints on every machine.
std::string fingerprint(std::string_view bytes);

}  // namespace bitlaw
