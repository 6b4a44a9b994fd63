#pragma once

#include <string_view>

#include "fitting/laws/law.h"

namespace bitlaw {

/// Of a law of one input x: as many points as unknowns.
inline DesignNeed need_x(int distinct, std::string_view parameters) {
  return {.input = "x",
          .distinct = distinct,
          .parameters = parameters,
          .consequence = "there are as many unknowns",
          .cure = "add points between and below those at hand"};
}

}  // namespace bitlaw
