#pragma once

#include <algorithm>
#include <thread>

namespace bitlaw {

/// The cores that this process may run on, at least 1.
inline int all_cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

}  // namespace bitlaw
