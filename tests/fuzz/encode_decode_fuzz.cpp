// Any format, conversion, value and code, from 26 bytes:
//   exponent bits, mantissa bits, bias (2 bytes), flags (2 bytes), mode, random bits, policies (2 bytes), value (8
//   bytes, a float64, and its first 4 as a float32), code (8 bytes, also the seed)
// The array functions give what their definitions give, codes stand for what quantize gives, and coding is reversible.

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "core/base/check.h"
#include "core/format/codes.h"
#include "core/format/encode.h"
#include "core/format/format_spec.h"
#include "core/format/quantize.h"

using namespace bitlaw;

namespace {

struct Input {
  std::uint8_t bytes[26] = {};
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

/// Values of T: quantize, encode and decode by kernel and by definition.
template <typename T>
void check_value(const FormatSpec& spec, const Conversion& conversion, T x, const RandomStream& stream) {
  T fast = 0, defined = 0, back = 0;
  quantize(spec, conversion, std::span<const T>(&x, 1), std::span(&fast, 1), stream);
  quantize_reference(spec, conversion, std::span<const T>(&x, 1), std::span(&defined, 1), stream);
  BITLAW_CHECK(std::memcmp(&fast, &defined, sizeof(T)) == 0, "{} became {}, by definition {}", x, fast, defined);
  if (std::isnan(fast) && !spec.has_nan()) return;  // has no code
  std::uint64_t code = 0, defined_code = 0;
  encode<T, std::uint64_t>(spec, conversion, std::span<const T>(&x, 1), std::span(&code, 1), stream);
  encode_reference<T, std::uint64_t>(spec, conversion, std::span<const T>(&x, 1), std::span(&defined_code, 1), stream);
  BITLAW_CHECK(code == defined_code, "{} has the code {}, by definition {}", x, code, defined_code);
  decode<T, std::uint64_t>(spec, std::span<const std::uint64_t>(&code, 1), std::span(&back, 1));
  BITLAW_CHECK(same(static_cast<double>(back), static_cast<double>(fast)), "{} became {}, and by its code {}", x, fast,
               back);
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
  if (size < sizeof in.bytes) return 0;
  std::memcpy(in.bytes, data, sizeof in.bytes);
  const FormatSpec spec = format_of(in);
  if (!spec.is_valid() || !spec.is_exact_in_double()) return 0;
  const Conversion conversion = conversion_of(in);
  const RandomStream stream{.seed = in.number<std::uint64_t>(18)};
  check_value(spec, conversion, in.number<float>(10), stream);
  check_value(spec, conversion, in.number<double>(10), stream);
  const int bits = spec.total_bits();
  check_code(spec, in.number<std::uint64_t>(18) >> (64 - bits));
  return 0;
}
