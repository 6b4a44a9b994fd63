#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/format/codebook.h"
#include "core/format/codebook_kernels.h"
#include "core/format/element_types.h"

namespace bitlaw {
namespace {

/// The index of a NaN's value in ascending(); nothing where it stays NaN.
std::optional<std::size_t> nan_index(const Codebook& book, const Conversion& conversion) {
  if (conversion.nan == NanPolicy::Propagate) return std::nullopt;
  if (conversion.nan == NanPolicy::ToMax) return book.values().size() - 1;
  return round_reference(book, RoundingMode::TiesToEven, 0.0, {});
}

/// The index in ascending() of element `element` of a stream; nothing for a NaN that stays.
std::optional<std::size_t> index_of(const Codebook& book, const Conversion& conversion, double x,
                                    const RandomStream& stream, std::uint64_t element) {
  if (std::isnan(x)) return nan_index(book, conversion);
  return round_reference(book, conversion.rounding, x, [&](int j) {
    return conversion.rounding.mode == RoundingMode::StochasticExact
               ? exact_random_word(stream, element, j)
               : stochastic_random(stream, element, conversion.rounding.bits);
  });
}

std::uint8_t encode_element(const Codebook& book, const Conversion& conversion, double x, const RandomStream& stream,
                            std::uint64_t element) {
  const auto index = index_of(book, conversion, x, stream, element);
  if (!index) refuse_nan(element);
  return book.ascending_codes()[*index];
}

/// The least W that rounds to the value above index i; rounding is monotone and depends on the side of the middle.
template <typename W>
W threshold_above(const Codebook& book, const Rounding& rounding, std::size_t i) {
  const float below = book.ascending()[i];
  const float above = book.ascending()[i + 1];
  const double exact_middle = (static_cast<double>(below) + static_cast<double>(above)) / 2;
  constexpr W kInfinity = std::numeric_limits<W>::infinity();
  auto middle = static_cast<W>(exact_middle);
  if (static_cast<double>(middle) < exact_middle) middle = std::nextafter(middle, kInfinity);
  for (const W v : {std::nextafter(static_cast<W>(below), kInfinity), middle, std::nextafter(middle, kInfinity)}) {
    if (round_reference(book, rounding, static_cast<double>(v), {}) > i) return v;
  }
  return static_cast<W>(above);
}

/// `table`: what stands for the ascending values.
template <typename W, typename Entry>
CodebookPlan<W> plan_of(const Codebook& book, const Conversion& conversion, std::span<const Entry> table) {
  CodebookPlan<W> plan{.size = table.size(), .thresholds = {}, .table = {}, .nan_value = 0, .keeps_nan = true};
  plan.thresholds.fill(std::numeric_limits<W>::quiet_NaN());
  std::transform(table.begin(), table.end(), plan.table.begin(), [](Entry v) { return static_cast<W>(v); });
  for (std::size_t i = 0; i + 1 < table.size(); ++i) {
    plan.thresholds[i] = threshold_above<W>(book, conversion.rounding, i);
  }
  if (const auto index = nan_index(book, conversion)) {
    plan.nan_value = plan.table[*index];
    plan.keeps_nan = false;
  }
  return plan;
}

}  // namespace

template <typename T>
T quantize_element(const Codebook& book, const Conversion& conversion, T x, const RandomStream& stream,
                   std::uint64_t element) {
  const auto index = index_of(book, conversion, static_cast<double>(x), stream, element);
  return index ? static_cast<T>(book.ascending()[*index]) : x;
}

template <typename T>
void quantize_reference(const Codebook& book, const Conversion& conversion, std::span<const T> x, std::span<T> out,
                        const RandomStream& stream) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = quantize_element(book, conversion, x[i], stream, i);
}

template <typename T>
void quantize(const Codebook& book, const Conversion& conversion, std::span<const T> x, std::span<T> out,
              const RandomStream& stream, int threads) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  if (conversion.rounding.is_stochastic()) {
    return parallel_parts(x.size(), threads, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) out[i] = quantize_element(book, conversion, x[i], stream, i);
    });
  }
  const auto plan = plan_of<T>(book, conversion, book.ascending());
  parallel_parts(x.size(), threads, [&](std::size_t first, std::size_t last) {
    select_vectors(plan, x.data() + first, out.data() + first, last - first);
  });
}

template <typename T>
void encode_reference(const Codebook& book, const Conversion& conversion, std::span<const T> x,
                      std::span<std::uint8_t> codes, const RandomStream& stream) {
  BITLAW_CHECK(x.size() == codes.size(), "x [{}] into codes [{}]", x.size(), codes.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    codes[i] = encode_element(book, conversion, static_cast<double>(x[i]), stream, i);
  }
}

template <typename T>
void encode(const Codebook& book, const Conversion& conversion, std::span<const T> x, std::span<std::uint8_t> codes,
            const RandomStream& stream, int threads) {
  BITLAW_CHECK(x.size() == codes.size(), "x [{}] into codes [{}]", x.size(), codes.size());
  if (conversion.rounding.is_stochastic()) {
    return parallel_parts(x.size(), threads, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) {
        codes[i] = encode_element(book, conversion, static_cast<double>(x[i]), stream, i);
      }
    });
  }
  const auto plan = plan_of<T>(book, conversion, book.ascending_codes());
  parallel_parts(x.size(), threads, [&](std::size_t first, std::size_t last) {
    std::array<T, kChunk> selected;
    for (std::size_t i = first; i < last; i += kChunk) {
      const std::size_t count = std::min(kChunk, last - i);
      select_vectors(plan, x.data() + i, selected.data(), count);
      const auto end = selected.begin() + static_cast<std::ptrdiff_t>(count);
      const auto nan = std::find_if(selected.begin(), end, [](T v) { return std::isnan(v); });
      if (nan != end) refuse_nan(i + static_cast<std::size_t>(nan - selected.begin()));
      std::transform(selected.begin(), end, codes.begin() + static_cast<std::ptrdiff_t>(i),
                     [](T code) { return static_cast<std::uint8_t>(code); });
    }
  });
}

template <typename T>
void decode(const Codebook& book, std::span<const std::uint8_t> codes, std::span<T> out, int threads) {
  BITLAW_CHECK(codes.size() == out.size(), "codes [{}] into out [{}]", codes.size(), out.size());
  parallel_parts(codes.size(), threads, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      BITLAW_CHECK(codes[i] < book.values().size(), "code {} of {} values", codes[i], book.values().size());
      out[i] = static_cast<T>(book.values()[codes[i]]);
    }
  });
}

#define BITLAW_INSTANTIATE(T)                                                                                       \
  template T quantize_element(const Codebook&, const Conversion&, T, const RandomStream&, std::uint64_t);           \
  template void quantize_reference(const Codebook&, const Conversion&, std::span<const T>, std::span<T>,            \
                                   const RandomStream&);                                                            \
  template void quantize(const Codebook&, const Conversion&, std::span<const T>, std::span<T>, const RandomStream&, \
                         int);                                                                                      \
  template void encode_reference(const Codebook&, const Conversion&, std::span<const T>, std::span<std::uint8_t>,   \
                                 const RandomStream&);                                                              \
  template void encode(const Codebook&, const Conversion&, std::span<const T>, std::span<std::uint8_t>,             \
                       const RandomStream&, int);                                                                   \
  template void decode(const Codebook&, std::span<const std::uint8_t>, std::span<T>, int);
BITLAW_INSTANTIATE(float)
BITLAW_INSTANTIATE(double)
#undef BITLAW_INSTANTIATE

}  // namespace bitlaw
