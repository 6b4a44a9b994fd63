// Any format, conversion, code and values, from 18 bytes and 8 for each value, of which there is at least one:
//   exponent bits, mantissa bits, bias (2 bytes), flags (2 bytes), mode, random bits, policies (2 bytes), code (8
//   bytes, also the seed), values (each a float64, or two float32)
// The array functions give what their definitions give, codes stand for what quantize gives, and coding is reversible.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "core/base/check.h"
#include "core/format/codes.h"
#include "core/format/encode.h"
#include "core/format/format_spec.h"
#include "core/format/quantize.h"

using namespace bitlaw;

namespace {

constexpr std::size_t kHeader = 18;
constexpr std::size_t kMostValues = 80;  // whole vectors and a rest, in every instruction set

struct Input {
  std::uint8_t bytes[kHeader] = {};
  int at(int i, int count) const { return bytes[i] % count; }
  template <typename T>
  T number(int i) const {
    T value;
    std::memcpy(&value, bytes + i, sizeof value);
    return value;
  }
};

FormatSpec format_of(const Input& in) {
  const int flags = in.bytes[4];
  return {.exponent_bits = in.at(0, 17),
          .mantissa_bits = in.at(1, 53),
          .bias = in.number<std::int16_t>(2) % 2200,
          .top = static_cast<TopCodes>(in.at(5, 5)),
          .is_signed = (flags & 1) == 0,
          .has_subnormals = (flags & 2) == 0,
          .has_zero = (flags & 4) == 0,
          .sign_coding = static_cast<SignCoding>((flags >> 3) % 3)};
}

Conversion conversion_of(const Input& in) {
  const auto mode = static_cast<RoundingMode>(in.at(6, 11));
  const bool needs_bits = is_stochastic(mode) && mode != RoundingMode::StochasticExact;
  const Rounding rounding(mode, needs_bits ? 1 + in.at(7, 32) : 0, static_cast<PowerTies>(in.at(8, 3)));
  return {rounding, static_cast<Overflow>(in.at(9, 4)), static_cast<NanPolicy>((in.bytes[9] >> 2) % 3)};
}

bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (std::isnan(a) && std::isnan(b));
}

/// Values of T: quantize, encode and decode by kernel and by definition. Code: of as many bits as the format has, or
/// more.
template <typename T, typename Code>
void check_values(const FormatSpec& spec, const Conversion& conversion, std::span<const T> x,
                  const RandomStream& stream) {
  std::vector<T> fast(x.size()), defined(x.size()), back(x.size());
  quantize(spec, conversion, x, std::span(fast), stream);
  quantize_reference(spec, conversion, x, std::span(defined), stream);
  for (std::size_t i = 0; i < x.size(); ++i) {
    BITLAW_CHECK(std::memcmp(&fast[i], &defined[i], sizeof(T)) == 0, "{} became {}, by definition {}", x[i], fast[i],
                 defined[i]);
    if (std::isnan(fast[i]) && !spec.has_nan()) return;  // has no code
  }
  std::vector<Code> codes(x.size()), defined_codes(x.size());
  encode<T, Code>(spec, conversion, x, codes, stream);
  encode_reference<T, Code>(spec, conversion, x, defined_codes, stream);
  decode<T, Code>(spec, codes, back);
  for (std::size_t i = 0; i < x.size(); ++i) {
    BITLAW_CHECK(codes[i] == defined_codes[i], "{} has the code {}, by definition {}", x[i], codes[i],
                 defined_codes[i]);
    BITLAW_CHECK(same(static_cast<double>(back[i]), static_cast<double>(fast[i])), "{} became {}, and by its code {}",
                 x[i], fast[i], back[i]);
  }
}

template <typename T>
void check_values(const FormatSpec& spec, const Conversion& conversion, std::span<const std::uint8_t> data,
                  const RandomStream& stream) {
  std::vector<T> x(data.size() / sizeof(T));
  std::memcpy(x.data(), data.data(), x.size() * sizeof(T));
  const std::span<const T> values(x);
  const int bits = spec.total_bits();
  if (bits <= 8) return check_values<T, std::uint8_t>(spec, conversion, values, stream);
  if (bits <= 16) return check_values<T, std::uint16_t>(spec, conversion, values, stream);
  if (bits <= 32) return check_values<T, std::uint32_t>(spec, conversion, values, stream);
  check_values<T, std::uint64_t>(spec, conversion, values, stream);
}

void check_code(const FormatSpec& spec, std::uint64_t code) {
  const double value = decode(spec, code);
  double in_array = 0;
  decode<double, std::uint64_t>(spec, std::span<const std::uint64_t>(&code, 1), std::span(&in_array, 1));
  BITLAW_CHECK(same(value, in_array), "code {} is {}, in an array {}", code, value, in_array);
  // Not values to give back: what symmetric integers leave out, and the many zeros of a format without subnormals.
  if (!is_value_code(spec, code) || (value == 0 && !spec.has_subnormals)) return;
  const std::optional<std::uint64_t> back = encode(spec, value);
  BITLAW_CHECK(back.has_value(), "{}, the value of code {}, has none", value, code);
  BITLAW_CHECK(*back == code || (std::isnan(value) && std::isnan(decode(spec, *back))), "{} of code {} became code {}",
               value, code, *back);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in;
  if (size < kHeader + sizeof(double)) return 0;
  std::memcpy(in.bytes, data, kHeader);
  const FormatSpec spec = format_of(in);
  if (!spec.is_valid() || !spec.is_exact_in_double()) return 0;
  const Conversion conversion = conversion_of(in);
  const RandomStream stream{.seed = in.number<std::uint64_t>(10)};
  const std::span values(data + kHeader, std::min((size - kHeader) / sizeof(double), kMostValues) * sizeof(double));
  check_values<float>(spec, conversion, values, stream);
  check_values<double>(spec, conversion, values, stream);
  check_code(spec, in.number<std::uint64_t>(10) >> (64 - spec.total_bits()));
  return 0;
}
