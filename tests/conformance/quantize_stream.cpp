// Gives format_oracle_test.py our values:
//   codes FORMAT                            the float64 value of every code
//   quantize FORMAT ROUNDING OVERFLOW       float32 from standard input, rounded
//   blocks PRESET AXIS ROWS COLS            a float32 matrix from standard input, quantized to nearest
//   bits COUNT                              the uint32 that stochastic rounding takes for elements 0 .. COUNT - 1
// All output is raw, in the machine's byte order.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "core/format/codes.h"
#include "core/format/quantize.h"

using namespace bitlaw;

namespace {

constexpr RandomStream kStream{.seed = 2026};

std::vector<float> read_input() {
  std::vector<float> x;
  float buffer[4096];
  for (std::size_t n = 0; (n = std::fread(buffer, sizeof(float), std::size(buffer), stdin)) > 0;) {
    x.insert(x.end(), buffer, buffer + n);
  }
  return x;
}

template <typename T>
int write_output(const std::vector<T>& values) {
  return std::fwrite(values.data(), sizeof(T), values.size(), stdout) == values.size() ? 0 : 1;
}

RoundingMode parse_rounding(std::string_view name) {
  if (name == "nearest") return RoundingMode::TiesToEven;
  if (name == "toward_zero") return RoundingMode::TowardZero;
  if (name == "stochastic") return RoundingMode::StochasticExact;
  throw InputError(fmt::format("unknown rounding '{}'", name));
}

int run(std::span<char*> arguments) {
  const std::string_view verb = arguments.empty() ? "" : arguments[0];
  if (verb == "codes" && arguments.size() == 2) return write_output(all_values(parse_format(arguments[1])));
  if (verb == "bits" && arguments.size() == 2) {
    std::vector<std::uint32_t> bits(std::stoul(arguments[1]));
    random_bits(kStream, 0, bits);
    return write_output(bits);
  }
  if (verb == "quantize" && arguments.size() == 4) {
    std::vector<float> x = read_input();
    const Overflow overflow = arguments[3] == std::string_view("saturate") ? Overflow::Saturate : Overflow::ToInfinity;
    quantize(parse_format(arguments[1]), {parse_rounding(arguments[2]), overflow}, x, x, kStream);
    return write_output(x);
  }
  if (verb == "blocks" && arguments.size() == 5) {
    std::vector<float> x = read_input();
    const MatrixView<float> view(x.data(), std::stol(arguments[3]), std::stol(arguments[4]));
    if (view.size() != static_cast<std::int64_t>(x.size())) throw InputError("the input is not of that shape");
    const KAxis axis = arguments[2] == std::string_view("cols") ? KAxis::Cols : KAxis::Rows;
    quantize_blocks(block_preset(arguments[1]).value(), RoundingMode::TiesToEven, axis, view, view, kStream);
    return write_output(x);
  }
  throw InputError("usage: see the head of quantize_stream.cpp");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
