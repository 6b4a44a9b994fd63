#pragma once

#include "experiments/cli/quantize_request.h"
#include "simulators/quantized/recipe.h"

namespace bitlaw {

/// The blocks and the rotation that the flags ask for, one of which is --block. Names are those of YAML (slot_yaml.h);
/// the rounding is left aside. InputErrors name the flag.
SlotSpec slot_of(const QuantizeRequest& request);

/// The name of a preset that nothing else changes, else the canonical text: "e2m1 block=16 scale=ue4m3 rule=nearest".
std::string slot_name(const QuantizeRequest& request, const SlotSpec& slot);

/// InputError where a flag that only blocks have a use for is given.
void refuse_block_flags(const QuantizeRequest& request);

}  // namespace bitlaw
