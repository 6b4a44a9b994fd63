#pragma once

#include <string>

#include "core/record/fit_record.h"

namespace bitlaw {

/// A fit as one JSON object: parameters by name, the verdict, and one entry per observation. NaN becomes null.
std::string fit_to_json(const FitRecord& fit);

}  // namespace bitlaw
