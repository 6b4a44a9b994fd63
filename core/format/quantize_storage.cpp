#include "core/base/check.h"
#include "core/format/quantize.h"

namespace bitlaw {

void quantize(const FormatSpec& spec, const Conversion& conversion, std::span<const BFloat16> x,
              std::span<BFloat16> out, const RandomStream& stream, int) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    out[i] = to_bfloat16(quantize_element(spec, conversion, to_float(x[i]), stream, i));
  }
}

void quantize(const FormatSpec& spec, const Conversion& conversion, std::span<const Float16> x, std::span<Float16> out,
              const RandomStream& stream, int) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    out[i] = to_float16(quantize_element(spec, conversion, to_float(x[i]), stream, i));
  }
}

}  // namespace bitlaw
