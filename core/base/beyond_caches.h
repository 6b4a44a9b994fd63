#pragma once

#include <cstdint>

namespace bitlaw {

/// Whether an output of so many bytes is written past the caches: it is as large as those of a processor, so little of
/// it could be found there, and an ordinary store to a line that is not there reads the memory first.
constexpr bool is_beyond_caches(std::int64_t bytes) { return bytes >= std::int64_t{32} << 20; }

}  // namespace bitlaw
