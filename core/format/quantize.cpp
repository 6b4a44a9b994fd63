#include "core/format/quantize.h"

namespace bitlaw {

void quantize(const FormatSpec& spec, Rounding rounding, Overflow overflow, std::span<const float> x,
              std::span<float> out, const RandomStream& stream) {
  quantize_reference(spec, rounding, overflow, x, out, stream);
}

}  // namespace bitlaw
