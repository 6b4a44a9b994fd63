#include <fmt/format.h>

#include "core/base/check.h"
#include "core/base/error.h"
#include "core/format/codes.h"
#include "core/format/element_types.h"
#include "core/format/encode.h"
#include "core/format/quantize.h"

namespace bitlaw {

void refuse_nan(std::size_t element) {
  throw InputError(fmt::format(
      "element {}: NaN, which the format cannot hold, so it has no code; choose what a NaN becomes: zero or max",
      element));
}

std::uint64_t encode_element(const FormatSpec& spec, const Conversion& conversion, double x, const RandomStream& stream,
                             std::size_t element) {
  const auto code = encode(spec, quantize_element(spec, conversion, x, stream, element));
  if (!code) refuse_nan(element);
  return *code;
}

template <typename T, typename Code>
void encode_reference(const FormatSpec& spec, const Conversion& conversion, std::span<const T> x, std::span<Code> codes,
                      const RandomStream& stream) {
  BITLAW_CHECK(x.size() == codes.size(), "x [{}] into codes [{}]", x.size(), codes.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    codes[i] = static_cast<Code>(encode_element(spec, conversion, to_double(x[i]), stream, i));
  }
}

template <typename T, typename Code>
void decode_reference(const FormatSpec& spec, std::span<const Code> codes, std::span<T> out) {
  BITLAW_CHECK(codes.size() == out.size(), "codes [{}] into out [{}]", codes.size(), out.size());
  for (std::size_t i = 0; i < codes.size(); ++i) out[i] = from_double<T>(decode(spec, codes[i]));
}

#define BITLAW_INSTANTIATE(T, Code)                                                                         \
  template void encode_reference(const FormatSpec&, const Conversion&, std::span<const T>, std::span<Code>, \
                                 const RandomStream&);                                                      \
  template void decode_reference(const FormatSpec&, std::span<const Code>, std::span<T>);
BITLAW_FOR_EACH_TYPE_AND_CODE(BITLAW_INSTANTIATE)
#undef BITLAW_INSTANTIATE

}  // namespace bitlaw
