#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "fitting/laws/law.h"

namespace bitlaw {

/// Which of a law's inputs has this name; their number where none has.
inline std::size_t input_place(const Law& law, std::string_view name) {
  const auto& inputs = law.inputs();
  return static_cast<std::size_t>(std::find(inputs.begin(), inputs.end(), name) - inputs.begin());
}

}  // namespace bitlaw
