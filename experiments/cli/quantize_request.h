#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/block/block_spec.h"
#include "core/format/element.h"
#include "core/record/array_file.h"
#include "core/transform/hadamard.h"

namespace bitlaw {

/// What `bitlaw quantize` was asked, as typed; unset: the default.
struct QuantizeRequest {
  std::string in, out;
  std::optional<std::string> dtype, to, overflow, nan, power_ties;
  std::optional<std::string> block, scale, scale_rule, tensor_target, rotate, rotate_signs, codes_out, scales_out;
  std::string round = "ties_to_even";
  std::optional<int> bits, threads;
  std::optional<std::uint64_t> seed;
  bool codes = false;
};

/// The same, valid.
struct QuantizePlan {
  ArrayPlace in, out;
  NumberType raw_type = NumberType::Float32;  ///< of the input, where it is raw
  Element format;                             ///< of the elements
  std::string format_name;                    ///< as asked, or slot_name()
  std::optional<BlockSpec> block;
  std::optional<HadamardSpec> rotation;             ///< of blocks along K
  std::optional<ArrayPlace> codes_out, scales_out;  ///< of blocks; the first only beside the second
  Conversion conversion;
  std::uint64_t seed = 0;
  bool codes = false;
  int threads = 1;
};

/// InputErrors name the flag.
QuantizePlan plan_quantize(const QuantizeRequest& request);

/// "round=stochastic_a bits=8 seed=0 overflow=saturate nan=propagate"
std::string conversion_text(const QuantizePlan& plan);

}  // namespace bitlaw
