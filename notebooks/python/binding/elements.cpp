#include <fmt/format.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <type_traits>

#include "core/base/error.h"
#include "core/format/encode.h"
#include "core/format/pack.h"
#include "core/format/quantize.h"
#include "experiments/cli/conversion_words.h"
#include "notebooks/python/binding/python_types.h"

namespace bitlaw::python {
namespace nb = nanobind;
namespace {

constexpr ConversionNames kPythonNames{.round = "rounding",
                                       .bits = "bits",
                                       .overflow = "overflow",
                                       .nan = "nan",
                                       .power_ties = "power_ties",
                                       .separator = "="};

/// Calls `work` with a null pointer to the type of the array's elements. NumPy's bfloat16 (ml_dtypes) comes as uint16.
template <typename Work>
void with_number_type(const nb::dlpack::dtype& type, Work work) {
  const auto is = [&](nb::dlpack::dtype_code code, int bits) {
    return type.code == static_cast<std::uint8_t>(code) && type.bits == bits;
  };
  if (is(nb::dlpack::dtype_code::Float, 32)) return work(static_cast<float*>(nullptr));
  if (is(nb::dlpack::dtype_code::Float, 64)) return work(static_cast<double*>(nullptr));
  if (is(nb::dlpack::dtype_code::Float, 16)) return work(static_cast<Float16*>(nullptr));
  if (is(nb::dlpack::dtype_code::UInt, 16)) return work(static_cast<BFloat16*>(nullptr));
  throw InputError("numbers of this type cannot be rounded; convert them to float32 or float64");
}

template <typename Work>
void with_code_type(const nb::dlpack::dtype& type, Work work) {
  if (type.code != static_cast<std::uint8_t>(nb::dlpack::dtype_code::UInt)) {
    throw InputError("codes are unsigned integers; convert them, in NumPy with codes.astype('uint8')");
  }
  switch (type.bits) {
    case 8:
      return work(static_cast<std::uint8_t*>(nullptr));
    case 16:
      return work(static_cast<std::uint16_t*>(nullptr));
    case 32:
      return work(static_cast<std::uint32_t*>(nullptr));
    default:
      return work(static_cast<std::uint64_t*>(nullptr));
  }
}

template <typename T>
std::span<const T> numbers(const Input& x) {
  return {static_cast<const T*>(x.data()), x.size()};
}
template <typename T>
std::span<T> numbers(const Output& x) {
  return {static_cast<T*>(x.data()), x.size()};
}

template <typename T>
constexpr bool kIsStorage = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;

void refuse_storage(const Format& format) {
  throw InputError(
      fmt::format("format '{}': is a list of float32 values, which 16-bit numbers may not hold; convert the array to "
                  "float32",
                  format.name));
}

/// out = x rounded; of the same type and size.
void quantize_into(const Format& format, const Conversion& conversion, const Input& x, const Output& out,
                   const Key& key, int threads) {
  const RandomStream stream = stream_of(key);
  with_number_type(x.dtype(), [&]<typename T>(T*) {
    const auto from = numbers<T>(x);
    const auto to = numbers<T>(out);
    const nb::gil_scoped_release released;
    if (const auto* spec = std::get_if<FormatSpec>(&format.element)) {
      quantize(*spec, conversion, from, to, stream, threads);
    } else if constexpr (kIsStorage<T>) {
      refuse_storage(format);
    } else {
      quantize<T>(std::get<Codebook>(format.element), conversion, from, to, stream, threads);
    }
  });
}

/// The least time of `calls` calls of the C++ function on float32: what the benchmark compares Python's calls with.
double seconds_of_quantize(const Format& format, const Conversion& conversion, const Input& x, const Output& out,
                           int calls) {
  using Clock = std::chrono::steady_clock;
  check_rounds(format);
  const auto& spec = std::get<FormatSpec>(format.element);
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < calls; ++i) {
    const Clock::time_point start = Clock::now();
    quantize(spec, conversion, numbers<float>(x), numbers<float>(out));
    least = std::min(least, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return least;
}

void encode_into(const Format& format, const Conversion& conversion, const Input& x, const Output& codes,
                 const Key& key, int threads) {
  const RandomStream stream = stream_of(key);
  with_number_type(x.dtype(), [&]<typename T>(T*) {
    with_code_type(codes.dtype(), [&]<typename Code>(Code*) {
      const auto from = numbers<T>(x);
      const auto to = numbers<Code>(codes);
      const nb::gil_scoped_release released;
      if (const auto* spec = std::get_if<FormatSpec>(&format.element)) {
        encode(*spec, conversion, from, to, stream, threads);
      } else if constexpr (kIsStorage<T>) {
        refuse_storage(format);
      } else if constexpr (std::is_same_v<Code, std::uint8_t>) {
        encode<T>(std::get<Codebook>(format.element), conversion, from, to, stream, threads);
      }
    });
  });
}

/// The number of codes that have a value, or 0 for 2^64.
std::uint64_t count_of_codes(const Element& element) {
  if (const auto* book = std::get_if<Codebook>(&element)) return book->values().size();
  const auto& spec = std::get<FormatSpec>(element);
  return spec.total_bits() < 64 ? spec.code_count() : 0;
}

template <typename Code>
void check_codes(const Format& format, std::span<const Code> codes) {
  const std::uint64_t count = count_of_codes(format.element);
  if (count == 0 || codes.empty() || *std::max_element(codes.begin(), codes.end()) < count) return;
  const auto wrong = std::find_if(codes.begin(), codes.end(), [&](Code code) { return code >= count; });
  throw InputError(
      fmt::format("codes: element {} is {}, but format '{}' has the codes 0 to {}, so it has no value; are they "
                  "packed? see bitlaw.unpack",
                  wrong - codes.begin(), *wrong, format.name, count - 1));
}

void decode_into(const Format& format, const Input& codes, const Output& out, int threads) {
  with_code_type(codes.dtype(), [&]<typename Code>(Code*) {
    with_number_type(out.dtype(), [&]<typename T>(T*) {
      const auto from = numbers<Code>(codes);
      const auto to = numbers<T>(out);
      const nb::gil_scoped_release released;
      check_codes(format, from);
      if (const auto* spec = std::get_if<FormatSpec>(&format.element)) {
        decode(*spec, from, to, threads);
      } else if constexpr (kIsStorage<T>) {
        refuse_storage(format);
      } else if constexpr (std::is_same_v<Code, std::uint8_t>) {
        decode<T>(std::get<Codebook>(format.element), from, to, threads);
      }
    });
  });
}

BitOrder order_of(const std::string& word) {
  if (word == "low_first") return BitOrder::LowFirst;
  if (word == "high_first") return BitOrder::HighFirst;
  throw InputError(fmt::format("order='{}': is not known, so nothing was done; use low_first or high_first", word));
}

void check_bits(int bits) {
  if (bits >= 1 && bits <= 8) return;
  throw InputError(fmt::format("bits={}: only codes of 1 to 8 bits are packed; keep wider ones as they are", bits));
}

void pack_into(const Input& codes, int bits, const std::string& order, const Output& packed) {
  check_bits(bits);
  const auto from = numbers<std::uint8_t>(codes);
  const auto wide = std::find_if(from.begin(), from.end(), [&](std::uint8_t code) { return code >> bits != 0; });
  if (wide != from.end()) {
    throw InputError(fmt::format("codes: element {} is {}, which has more than {} bits, so it would lose some",
                                 wide - from.begin(), *wide, bits));
  }
  pack_codes(bits, order_of(order), from, numbers<std::uint8_t>(packed));
}

void unpack_into(const Input& packed, int bits, const std::string& order, const Output& codes) {
  check_bits(bits);
  if (packed.size() != packed_size(codes.size(), bits)) {
    throw InputError(
        fmt::format("packed: has {} bytes, but {} codes of {} bits take {}; give the count that was packed",
                    packed.size(), codes.size(), bits, packed_size(codes.size(), bits)));
  }
  unpack_codes(bits, order_of(order), numbers<std::uint8_t>(packed), numbers<std::uint8_t>(codes));
}

}  // namespace

void bind_elements(nb::module_& m) {
  nb::class_<Conversion>(m, "Conversion", "A rounding with its parameters, what overflows and what NaN become.")
      .def_prop_ro("is_stochastic", [](const Conversion& c) { return c.rounding.is_stochastic(); });
  m.def(
      "conversion",
      [](const std::string& rounding, std::optional<int> bits, std::optional<std::string> overflow,
         std::optional<std::string> nan, std::optional<std::string> power_ties) {
        return conversion_of({rounding, bits, std::move(overflow), std::move(nan), std::move(power_ties)},
                             kPythonNames);
      },
      nb::arg("rounding"), nb::arg("bits").none(), nb::arg("overflow").none(), nb::arg("nan").none(),
      nb::arg("power_ties").none());
  m.def("check_rounds", &check_rounds);
  m.def("quantize_into", &quantize_into);
  m.def("seconds_of_quantize", &seconds_of_quantize);
  m.def("encode_into", &encode_into);
  m.def("decode_into", &decode_into);
  m.def("pack_into", &pack_into);
  m.def("unpack_into", &unpack_into);
  m.def("packed_size", &packed_size);
}

}  // namespace bitlaw::python
