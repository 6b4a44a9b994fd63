#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/block/block_spec.h"
#include "core/random/philox.h"
#include "simulators/model/parameters.h"

namespace bitlaw {

// Slots of the random streams that round what is kept between steps: see "Random numbers" in simulators/README.md.
inline constexpr std::uint16_t kWeightsSlot = 130;
inline constexpr std::uint16_t kMoment1Slot = 131;
inline constexpr std::uint16_t kMoment2Slot = 132;

/// In what a tensor is kept between two steps. With neither member set: float32.
struct StorageFormat {
  std::string name = "float32";  ///< as in YAML
  std::optional<FormatSpec> element =
      std::nullopt;  ///< each number by itself, without a scale; beyond the largest it saturates
  std::optional<BlockSpec> block = std::nullopt;     ///< numbers that share scales, blocks along the columns
  RoundingMode rounding = RoundingMode::TiesToEven;  ///< one that needs no number of bits

  bool is_float32() const { return !element && !block; }
};

/// values <- what `format` keeps of them, in place. They are the parameter's, [rows, cols]; element i of it takes the
/// random bits of element i of `stream`.
void store(const StorageFormat& format, const Parameter& parameter, const RandomStream& stream,
           std::span<float> values);

}  // namespace bitlaw
