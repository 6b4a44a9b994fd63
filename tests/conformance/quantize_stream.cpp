// Gives format_oracle_test.py our values:
//   codes FORMAT                             the float64 value of every code
//   quantize FORMAT CONVERSION TYPE          what each float32 or float64 from standard input becomes, then its code
//   range FORMAT CONVERSION FIRST COUNT      the same for the float32 with the bits FIRST, FIRST + 1, ...
//   random K COUNT                           R of elements 0 .. COUNT - 1, K bits each, uint32
//   bits COUNT                               word 0 of the exact stochastic rounding of the same elements, uint32
//   blocks PRESET AXIS ROWS COLS             a float32 matrix from standard input, quantized to nearest
// CONVERSION is ROUNDING BITS POWER_TIES OVERFLOW NAN, in the words of core/format/rounding.h. Codes have the least of
// 8, 16 and 32 bits. All output is raw, in the machine's byte order.

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "core/format/codes.h"
#include "core/format/encode.h"
#include "core/format/quantize.h"
#include "tests/conformance/raw_stream.h"

using namespace bitlaw;

namespace {

constexpr RandomStream kStream{.seed = 2026};

Conversion parse_conversion(std::span<char*> words) {
  const Rounding rounding(named(kRoundingModeNames, words[0]), std::stoi(words[1]), named(kPowerTiesNames, words[2]));
  return {rounding, named(kOverflowNames, words[3]), named(kNanPolicyNames, words[4])};
}

template <typename T, typename Code>
void write_codes(const FormatSpec& spec, const Conversion& conversion, const std::vector<T>& x) {
  std::vector<Code> codes(x.size());
  encode<T, Code>(spec, conversion, x, codes, kStream);
  write_output(codes);
}

template <typename T>
void convert(const FormatSpec& spec, const Conversion& conversion, const std::vector<T>& x) {
  std::vector<T> out(x.size());
  quantize(spec, conversion, x, out, kStream);
  write_output(out);
  const int bits = spec.total_bits();
  if (bits <= 8) {
    write_codes<T, std::uint8_t>(spec, conversion, x);
  } else if (bits <= 16) {
    write_codes<T, std::uint16_t>(spec, conversion, x);
  } else {
    write_codes<T, std::uint32_t>(spec, conversion, x);
  }
}

std::vector<float> bit_patterns(std::uint64_t first, std::size_t count) {
  std::vector<float> x(count);
  for (std::size_t i = 0; i < count; ++i) x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(first + i));
  return x;
}

void write_random(int k, std::size_t count) {
  std::vector<std::uint32_t> random(count);
  for (std::size_t i = 0; i < count; ++i) random[i] = stochastic_random(kStream, i, k);
  write_output(random);
}

void write_blocks(std::span<char*> words) {
  std::vector<float> x = read_input<float>();
  const MatrixView<float> view(x.data(), std::stol(words[2]), std::stol(words[3]));
  if (view.size() != static_cast<std::int64_t>(x.size())) throw InputError("the input is not of that shape");
  const KAxis axis = words[1] == std::string_view("cols") ? KAxis::Cols : KAxis::Rows;
  quantize_blocks(block_preset(words[0]).value(), RoundingMode::TiesToEven, axis, view, view, kStream);
  write_output(x);
}

void run(std::span<char*> arguments) {
  const std::string_view verb = arguments.empty() ? "" : arguments[0];
  const auto is = [&](std::string_view name, std::size_t count) {
    return verb == name && arguments.size() == count + 1;
  };
  if (is("codes", 1)) {
    write_output(all_values(parse_format(arguments[1])));
  } else if (is("quantize", 7)) {
    const FormatSpec spec = parse_format(arguments[1]);
    const Conversion conversion = parse_conversion(arguments.subspan(2, 5));
    if (arguments[7] == std::string_view("float64")) {
      convert(spec, conversion, read_input<double>());
    } else {
      convert(spec, conversion, read_input<float>());
    }
  } else if (is("range", 8)) {
    const std::vector<float> x = bit_patterns(std::stoul(arguments[7]), std::stoul(arguments[8]));
    convert(parse_format(arguments[1]), parse_conversion(arguments.subspan(2, 5)), x);
  } else if (is("random", 2)) {
    write_random(std::stoi(arguments[1]), std::stoul(arguments[2]));
  } else if (is("bits", 1)) {
    std::vector<std::uint32_t> bits(std::stoul(arguments[1]));
    random_bits(kStream, 0, bits);
    write_output(bits);
  } else if (is("blocks", 4)) {
    write_blocks(arguments.subspan(1));
  } else {
    throw InputError("usage: see the head of quantize_stream.cpp");
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
