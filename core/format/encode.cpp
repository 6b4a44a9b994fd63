#include "core/format/encode.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/base/beyond_caches.h"
#include "core/base/check.h"
#include "core/base/parallel.h"
#include "core/format/code_kernels.h"
#include "core/format/element_types.h"
#include "core/format/nearest_code_kernels.h"
#include "core/format/quantizer.h"
#include "core/format/storage_kernels.h"

namespace bitlaw {
namespace {

/// x itself where it has type To, else its numbers in `buffer`.
template <typename To, typename From>
std::span<const To> as_type(std::span<const From> x, std::span<To> buffer) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else {
    convert(x, buffer);
    return buffer;
  }
}

/// Codes of a large array are made in a cache, chunk by chunk, and written past the caches.
template <typename Code>
class CodeWriter {
 public:
  CodeWriter(std::span<Code> codes, bool past_caches) : codes_(codes), past_caches_(past_caches) {}
  ~CodeWriter() {
    if (past_caches_) finish_past_caches();
  }
  CodeWriter(const CodeWriter&) = delete;
  CodeWriter& operator=(const CodeWriter&) = delete;

  /// Where the codes from `first` on are to be put.
  Code* place(std::size_t first) { return past_caches_ ? chunk_.data() : codes_.data() + first; }
  void write(std::size_t first, std::size_t count) {
    if (past_caches_) copy_past_caches(chunk_.data(), codes_.data() + first, count * sizeof(Code));
  }

 private:
  std::span<Code> codes_;
  bool past_caches_;
  alignas(64) std::array<Code, kChunk> chunk_;
};

/// codes_of_nearest where it has this value and code type; false where it does not know the codes.
template <typename R, typename T, typename Code>
bool encode_at_once(const Quantizer<R>& quantizer, std::span<const T> x, Code* codes) {
  if constexpr (std::is_same_v<T, R> && sizeof(Code) <= 2) {
    const RoundingPlan<R>* plan = quantizer.plan();
    return plan != nullptr && rounds_into_codes(*plan) && codes_of_nearest(*plan, x.data(), codes, x.size());
  } else {
    return false;
  }
}

/// Rounds a chunk, whose first element is `first`, in type R, and turns the values into codes in type W.
template <typename R, typename W, typename T, typename Code>
void encode_chunk(const CodePlan<W>& plan, const Quantizer<R>& quantizer, std::span<const T> x, Code* codes,
                  std::size_t first) {
  if (encode_at_once<R>(quantizer, x, codes)) return;
  std::array<R, kChunk> rounded;
  std::array<W, kChunk> values;
  const std::span<R> chunk(rounded.data(), x.size());
  quantizer(as_type<R>(x, chunk), chunk, first);
  const auto exact = as_type<W>(std::span<const R>(chunk), std::span<W>(values).first(x.size()));
  if (codes_of_values(plan, exact.data(), codes, x.size())) return;
  const auto nan = std::find_if(x.begin(), x.end(), [](T v) { return std::isnan(to_double(v)); });
  refuse_nan(first + static_cast<std::size_t>(nan - x.begin()));
}

template <typename R, typename W, typename T, typename Code>
void encode_in_parts(const FormatSpec& spec, const Quantizer<R>& quantizer, std::span<const T> x, std::span<Code> codes,
                     int threads) {
  const CodePlan<W> plan(spec);
  const bool past_caches = is_beyond_caches(static_cast<std::int64_t>(x.size_bytes()));
  parallel_parts(x.size(), threads, [&](std::size_t first, std::size_t last) {
    CodeWriter<Code> writer(codes, past_caches);
    for (std::size_t i = first; i < last; i += kChunk) {
      const std::span<const T> chunk = x.subspan(i, std::min(kChunk, last - i));
      encode_chunk<R>(plan, quantizer, chunk, writer.place(i), i);
      writer.write(i, chunk.size());
    }
  });
}

template <typename W, typename T, typename Code>
void decode_in_parts(const FormatSpec& spec, std::span<const Code> codes, std::span<T> out, int threads) {
  const CodePlan<W> plan(spec);
  const bool past_caches = is_beyond_caches(static_cast<std::int64_t>(out.size_bytes()));
  parallel_parts(codes.size(), threads, [&](std::size_t first, std::size_t last) {
    std::array<W, kChunk> values;
    for (std::size_t i = first; i < last; i += kChunk) {
      const std::size_t count = std::min(kChunk, last - i);
      bool in_range;
      if constexpr (std::is_same_v<T, W>) {
        in_range = values_of_codes(plan, codes.data() + i, out.data() + i, count, past_caches);
      } else {
        in_range = values_of_codes(plan, codes.data() + i, values.data(), count, false);
        convert(std::span<const W>(values.data(), count), out.subspan(i, count));
      }
      BITLAW_CHECK(in_range, "a code among [{}, {}) has more than {} bits", i, i + count, spec.total_bits());
    }
    if (past_caches) finish_past_caches();
  });
}

/// Codes of more bits than float can need the kernels of double.
template <typename Code>
constexpr bool kMayUseFloat = sizeof(Code) <= sizeof(float);

}  // namespace

template <typename T, typename Code>
void encode(const FormatSpec& spec, const Conversion& conversion, std::span<const T> x, std::span<Code> codes,
            const RandomStream& stream, int threads) {
  BITLAW_CHECK(x.size() == codes.size(), "x [{}] into codes [{}]", x.size(), codes.size());
  BITLAW_CHECK(spec.total_bits() <= std::numeric_limits<Code>::digits, "codes of {} bits", spec.total_bits());
  if (!CodePlan<double>::covers(spec)) {
    return parallel_parts(x.size(), threads, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) {
        codes[i] = static_cast<Code>(encode_element(spec, conversion, to_double(x[i]), stream, i));
      }
    });
  }
  if constexpr (kMayUseFloat<Code>) {
    using Rounded = std::conditional_t<std::is_same_v<T, double>, double, float>;
    if (CodePlan<float>::covers(spec)) {
      const Quantizer<Rounded> quantizer(spec, conversion, stream);
      return encode_in_parts<Rounded, float>(spec, quantizer, x, codes, threads);
    }
  }
  encode_in_parts<double, double>(spec, Quantizer<double>(spec, conversion, stream), x, codes, threads);
}

template <typename T, typename Code>
void decode(const FormatSpec& spec, std::span<const Code> codes, std::span<T> out, int threads) {
  BITLAW_CHECK(codes.size() == out.size(), "codes [{}] into out [{}]", codes.size(), out.size());
  if (!CodePlan<double>::covers(spec)) {
    return parallel_parts(codes.size(), threads, [&](std::size_t first, std::size_t last) {
      decode_reference(spec, codes.subspan(first, last - first), out.subspan(first, last - first));
    });
  }
  if constexpr (kMayUseFloat<Code>) {
    if (CodePlan<float>::covers(spec)) return decode_in_parts<float>(spec, codes, out, threads);
  }
  decode_in_parts<double>(spec, codes, out, threads);
}

#define BITLAW_INSTANTIATE(T, Code)                                                                                    \
  template void encode(const FormatSpec&, const Conversion&, std::span<const T>, std::span<Code>, const RandomStream&, \
                       int);                                                                                           \
  template void decode(const FormatSpec&, std::span<const Code>, std::span<T>, int);
BITLAW_FOR_EACH_TYPE_AND_CODE(BITLAW_INSTANTIATE)
#undef BITLAW_INSTANTIATE

}  // namespace bitlaw
