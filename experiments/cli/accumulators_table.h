#pragma once

#include <string>

#include "core/tensor/accumulator.h"

namespace bitlaw {

/// How a model sums, in one line: "one by one in binary32, products rounded".
std::string accumulator_summary(const AccumulatorSpec& spec);

/// The named models: name, summary, source.
std::string accumulators_table();
std::string accumulators_json();

}  // namespace bitlaw
