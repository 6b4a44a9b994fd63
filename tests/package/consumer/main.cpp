#include <cstdint>
#include <cstdio>
#include <numeric>
#include <vector>

#include "core/format/catalog.h"
#include "core/format/encode.h"
#include "core/format/quantize.h"

int main() {
  const bitlaw::FormatSpec e4m3 = bitlaw::parse_format("e4m3");  // or "e3m2:bias=5,finite", "Binary8p3se", "int4"
  const std::vector<float> x{0.1F, 3.3F, -464.0F, 1e6F};
  std::vector<float> q(x.size()), many(1 << 20, 3.3F);
  std::vector<std::uint8_t> codes(x.size());
  bitlaw::quantize(e4m3, bitlaw::RoundingMode::TiesToEven, x, q);
  bitlaw::encode<float, std::uint8_t>(e4m3, bitlaw::RoundingMode::TiesToEven, x, codes);
  for (std::size_t i = 0; i < x.size(); ++i) std::printf("%g -> %.7g, code 0x%02x\n", x[i], q[i], codes[i]);
  bitlaw::quantize(e4m3, bitlaw::RoundingMode::StochasticExact, many, many, {.seed = 1});
  std::printf("mean of a million roundings of 3.3: %.2f\n", std::accumulate(many.begin(), many.end(), 0.0) / (1 << 20));
}
