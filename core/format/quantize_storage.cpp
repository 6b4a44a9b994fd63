#include <algorithm>
#include <array>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/format/element_types.h"
#include "core/format/quantize.h"
#include "core/format/quantizer.h"
#include "core/format/storage_kernels.h"

namespace bitlaw {
namespace {

/// Through float32, chunk by chunk.
template <typename T>
void quantize_storage(const FormatSpec& spec, const Conversion& conversion, std::span<const T> x, std::span<T> out,
                      const RandomStream& stream, int threads) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  const Quantizer<float> quantizer(spec, conversion, stream);
  parallel_parts(x.size(), threads, [&](std::size_t first, std::size_t last) {
    std::array<float, kChunk> values;
    for (std::size_t i = first; i < last; i += kChunk) {
      const std::size_t count = std::min(kChunk, last - i);
      const std::span<float> chunk(values.data(), count);
      convert(x.subspan(i, count), chunk);
      quantizer(chunk, chunk, i);
      convert(std::span<const float>(chunk), out.subspan(i, count));
    }
  });
}

}  // namespace

void quantize(const FormatSpec& spec, const Conversion& conversion, std::span<const BFloat16> x,
              std::span<BFloat16> out, const RandomStream& stream, int threads) {
  quantize_storage(spec, conversion, x, out, stream, threads);
}

void quantize(const FormatSpec& spec, const Conversion& conversion, std::span<const Float16> x, std::span<Float16> out,
              const RandomStream& stream, int threads) {
  quantize_storage(spec, conversion, x, out, stream, threads);
}

}  // namespace bitlaw
