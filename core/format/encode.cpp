#include "core/format/encode.h"

#include "core/base/check.h"
#include "core/format/element_types.h"

namespace bitlaw {

template <typename T, typename Code>
void encode(const FormatSpec& spec, const Conversion& conversion, std::span<const T> x, std::span<Code> codes,
            const RandomStream& stream, int) {
  encode_reference(spec, conversion, x, codes, stream);
}

template <typename T, typename Code>
void decode(const FormatSpec& spec, std::span<const Code> codes, std::span<T> out, int) {
  decode_reference(spec, codes, out);
}

#define BITLAW_INSTANTIATE(T, Code)                                                                                    \
  template void encode(const FormatSpec&, const Conversion&, std::span<const T>, std::span<Code>, const RandomStream&, \
                       int);                                                                                           \
  template void decode(const FormatSpec&, std::span<const Code>, std::span<T>, int);
BITLAW_FOR_EACH_TYPE_AND_CODE(BITLAW_INSTANTIATE)
#undef BITLAW_INSTANTIATE

}  // namespace bitlaw
