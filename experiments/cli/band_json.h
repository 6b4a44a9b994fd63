#pragma once

#include <nlohmann/json.hpp>

#include "fitting/predict/bands.h"

namespace bitlaw {

/// [low, high]; found by nlohmann's conversions.
inline void to_json(nlohmann::json& json, const Band& band) { json = {band.low, band.high}; }

}  // namespace bitlaw
