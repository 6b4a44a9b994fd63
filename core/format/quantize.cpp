#include "core/format/quantize.h"

#include <type_traits>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/format/quantize_kernels.h"
#include "core/format/quantizer.h"

namespace bitlaw {
namespace {

template <typename T>
void quantize_by_definition(const FormatSpec& spec, const Conversion& conversion, std::span<const T> x,
                            std::span<T> out, const RandomStream& stream, std::uint64_t first) {
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = quantize_element(spec, conversion, x[i], stream, first + i);
}

template <typename T>
void quantize_in_parts(const FormatSpec& spec, const Conversion& conversion, std::span<const T> x, std::span<T> out,
                       const RandomStream& stream, int threads) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  const Quantizer<T> quantizer(spec, conversion, stream);
  parallel_parts(x.size(), threads, [&](std::size_t first, std::size_t last) {
    quantizer(x.subspan(first, last - first), out.subspan(first, last - first), first);
  });
}

}  // namespace

template <typename T>
Quantizer<T>::Quantizer(const FormatSpec& spec, const Conversion& conversion, const RandomStream& stream)
    : spec_(spec), conversion_(conversion), stream_(stream) {
  if (RoundingPlan<T>::covers(spec, conversion.rounding)) {
    plan_.emplace(spec, conversion);
  } else if (std::is_same_v<T, float> && RoundingPlan<double>::covers(spec, conversion.rounding)) {
    through_.emplace(spec, conversion);
  }
}

template <typename T>
void Quantizer<T>::operator()(std::span<const T> x, std::span<T> out, std::uint64_t first) const {
  if (plan_) return quantize_vectors(*plan_, stream_, x, out, first);
  if constexpr (std::is_same_v<T, float>) {
    if (through_) return quantize_vectors(*through_, stream_, x, out, first);
  }
  quantize_by_definition(spec_, conversion_, x, out, stream_, first);
}

template class Quantizer<float>;
template class Quantizer<double>;

void quantize(const FormatSpec& spec, const Conversion& conversion, std::span<const float> x, std::span<float> out,
              const RandomStream& stream, int threads) {
  quantize_in_parts(spec, conversion, x, out, stream, threads);
}

void quantize(const FormatSpec& spec, const Conversion& conversion, std::span<const double> x, std::span<double> out,
              const RandomStream& stream, int threads) {
  quantize_in_parts(spec, conversion, x, out, stream, threads);
}

}  // namespace bitlaw
