#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "experiments/cli/quantize_request.h"
#include "experiments/cli/rounding_statistics.h"

namespace bitlaw {

/// What a conversion of a file has done.
struct QuantizeReport {
  ArrayInfo input, output;
  RoundingStatistics statistics;
};

/// Called after every part with the elements done and all elements; false stops.
using QuantizeProgress = std::function<bool(std::int64_t done, std::int64_t all)>;

/// Elements that are read, rounded and written at a time; with blocks whole rows, of longer rows whole blocks.
inline constexpr std::int64_t kQuantizePart = 1 << 20;

/// Rounds the numbers of one file into another, part by part: the arrays may be larger than memory. In memory are a
/// row where it has one scale, and the whole array where a scale needs to see all numbers (second-level scales, one
/// scale per tensor) or blocks run across the order of the file (Fortran order). Element i of the file takes the random
/// numbers of element i of the seed's stream.
///
/// The type and the shape stay; with codes, the numbers are unsigned integers of the least width of 8, 16, 32, 64 bits.
/// Blocks run along the last axis. Nothing when `go_on` said stop: then, and on an InputError, the output is as it was.
std::optional<QuantizeReport> quantize_file(const QuantizePlan& plan, const QuantizeProgress& go_on);

/// What is printed.
std::string quantize_text(const QuantizePlan& plan, const QuantizeReport& report);
std::string quantize_json(const QuantizePlan& plan, const QuantizeReport& report);

}  // namespace bitlaw
