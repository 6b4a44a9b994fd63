#include "core/format/storage_types.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/format/catalog.h"
#include "core/format/quantize.h"
#include "core/format/storage_kernels.h"
#include "tests/support/bits.h"
#include "tests/support/each_target.h"

using namespace bitlaw;

namespace {

/// Every value of a 16-bit type.
template <typename T>
std::vector<T> all_of() {
  std::vector<T> x;
  for (std::uint32_t bits = 0; bits < 65536; ++bits) x.push_back({static_cast<std::uint16_t>(bits)});
  return x;
}

/// Each value of T, the middle to the next one, and the float32 neighbours of both.
template <typename T>
std::vector<float> deciding_floats() {
  std::vector<float> x;
  for (const T v : all_of<T>()) {
    const std::uint32_t bits = bits_of(to_float(v));
    const std::uint32_t next = bits_of(to_float(T{static_cast<std::uint16_t>(v.bits + 1)}));
    const std::uint32_t middle = bits + (next - bits) / 2;
    for (const std::uint32_t b : {bits, bits - 1, bits + 1, middle, middle - 1, middle + 1}) {
      x.push_back(std::bit_cast<float>(b));
    }
  }
  return x;
}

template <typename T>
void check_vectors_against_scalars() {
  const std::vector<T> all = all_of<T>();
  const std::vector<float> floats = deciding_floats<T>();
  std::vector<T> narrow_expected;
  for (const float v : floats) {
    if constexpr (std::is_same_v<T, BFloat16>) {
      narrow_expected.push_back(to_bfloat16(v));
    } else {
      narrow_expected.push_back(to_float16(v));
    }
  }
  for_each_target([&](const char* target) {
    CAPTURE(std::string(target));
    std::vector<float> wide(all.size());
    convert(std::span<const T>(all), wide);
    int differences = 0;
    for (std::size_t i = 0; i < all.size(); ++i) differences += bits_of(wide[i]) != bits_of(to_float(all[i])) ? 1 : 0;
    CHECK(differences == 0);
    std::vector<T> narrow(floats.size());
    convert(std::span<const float>(floats), std::span<T>(narrow));
    CHECK(narrow == narrow_expected);
  });
}

template <typename T>
T narrowed(float v) {
  if constexpr (std::is_same_v<T, BFloat16>) return to_bfloat16(v);
  return T{to_float16(v).bits};
}

/// Through float32 is exact where the format's values are values of the type.
template <typename T>
void check_quantize(const FormatSpec& spec, const Conversion& conversion) {
  const RandomStream stream{.seed = 4};
  const std::vector<T> x = all_of<T>();
  std::vector<T> expected(x.size()), out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    expected[i] = narrowed<T>(quantize_element(spec, conversion, to_float(x[i]), stream, i));
  }
  for (const int threads : {1, 3}) {
    quantize(spec, conversion, x, out, stream, threads);
    CHECK(out == expected);
  }
}

}  // namespace

TEST_CASE("bfloat16, binary16: values printed in their documents, ties to even, overflow, NaN payloads") {
  CHECK(to_float(BFloat16{0x3F80}) == 1.0F);
  CHECK(to_float(BFloat16{0x0001}) == 0x1p-133F);
  CHECK(to_float(Float16{0x3C00}) == 1.0F);
  CHECK(to_float(Float16{0x7BFF}) == 65504.0F);
  CHECK(to_float(Float16{0x8001}) == -0x1p-24F);
  CHECK(to_float(Float16{0xFC00}) == -INFINITY);
  CHECK(bits_of(to_float(Float16{0x7D23})) == 0x7FA46000U);  // signalling stays signalling
  CHECK(to_bfloat16(1.0F + 0x1p-8F).bits == 0x3F80);
  CHECK(to_bfloat16(1.0F + 3 * 0x1p-8F).bits == 0x3F82);
  CHECK(to_bfloat16(3.4e38F).bits == 0x7F80);
  CHECK(to_float16(65519.0F).bits == 0x7BFF);
  CHECK(to_float16(65520.0F).bits == 0x7C00);
  CHECK(to_float16(-0x1p-25F).bits == 0x8000);
  CHECK(to_float16(std::nextafter(0x1p-25F, 1.0F)).bits == 0x0001);
  CHECK(to_float16(std::bit_cast<float>(0xFF802000U)).bits == 0xFC01);
  CHECK(to_float16(std::bit_cast<float>(0x7F800001U)).bits == 0x7E00);  // the payload is lost, a NaN it stays
  CHECK(to_bfloat16(std::bit_cast<float>(0x7F800001U)).bits == 0x7FC0);
}

TEST_CASE("bfloat16, binary16 from double: rounded once, never through float32") {
  // Through float32 both become ties, which go to the even number below.
  CHECK(to_bfloat16(1 + 0x1p-8 + 0x1p-40).bits == 0x3F81);
  CHECK(to_float16(1 + 0x1p-11 + 0x1p-40).bits == 0x3C01);
}

TEST_CASE("bfloat16, binary16: vectors convert every number and every tie as the scalar functions do") {
  check_vectors_against_scalars<BFloat16>();
  check_vectors_against_scalars<Float16>();
}

TEST_CASE("bfloat16, binary16: the type's own format changes nothing, signalling NaNs included") {
  const auto bfloats = all_of<BFloat16>();
  std::vector<BFloat16> bfloats_out(bfloats.size());
  quantize(kBfloat16, Conversion(RoundingMode::TiesToEven, Overflow::ToInfinity), bfloats, bfloats_out);
  CHECK(bfloats_out == bfloats);
  const auto halves = all_of<Float16>();
  std::vector<Float16> halves_out(halves.size());
  quantize(kBinary16, Conversion(RoundingMode::TiesToEven, Overflow::ToInfinity), halves, halves_out);
  CHECK(halves_out == halves);
}

TEST_CASE("bfloat16, binary16: quantize rounds each element as float32 and then to the type") {
  for (const std::string_view name : {"e4m3", "e2m1", "e5m2", "e8m0", "int8", "int32", "e8m11,ieee"}) {
    CAPTURE(name);
    for (const Conversion& conversion :
         {Conversion(RoundingMode::TiesToEven), Conversion({RoundingMode::StochasticC, 9}, Overflow::ToInfinity)}) {
      check_quantize<BFloat16>(parse_format(name), conversion);
      check_quantize<Float16>(parse_format(name), conversion);
    }
  }
}
