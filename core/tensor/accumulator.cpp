#include "core/tensor/accumulator.h"

#include <array>

namespace bitlaw {
namespace {

constexpr FormatSpec kE8M13{.exponent_bits = 8, .mantissa_bits = 13, .bias = 127};
constexpr FormatSpec kE6M9{.exponent_bits = 6, .mantissa_bits = 9, .bias = 31};

constexpr AccumulatorSpec sequential(const FormatSpec& sum, ProductRounding product = ProductRounding::Fused) {
  AccumulatorSpec spec;
  spec.sum = sum;
  spec.product = product;
  return spec;
}

constexpr AccumulatorSpec chunked(AccumulatorSpec spec, int chunk, const FormatSpec& format,
                                  ChunkOrder order = ChunkOrder::Ascending) {
  spec.chunk = chunk;
  spec.chunk_format = format;
  spec.chunk_order = order;
  return spec;
}

/// A tensor core that aligns the running sum with the products, truncates, and truncates the sum.
constexpr AccumulatorSpec tensor_core(int group, int bits, int emin = kNoMinimumExponent,
                                      const FormatSpec& between = kBinary32) {
  AccumulatorSpec spec;
  spec.chunk_sum = ChunkSum::TensorCore;
  spec.group = group;
  spec.alignment_bits = bits;
  spec.between = between;
  spec.emin_a = spec.emin_b = emin;
  return spec;
}

constexpr AccumulatorSpec blackwell_fp4() {
  AccumulatorSpec spec = tensor_core(64, kExactAlignment);
  spec.running = RunningSum::After;
  spec.grid_bits = 10;
  return spec;
}

constexpr int kEminE4M3 = kE4M3.emin(), kEminE5M2 = kE5M2.emin(), kEminFp16 = kBinary16.emin(),
              kEminBf16 = kBfloat16.emin();

constexpr std::string_view kIeee = "IEEE 754-2019 §5.4.1: multiplication and addition, each rounded";
constexpr std::string_view kModels =
    "arXiv:2512.07004 and arXiv:2511.10909, with their public code: group, bits, truncation, running sum aligned";
constexpr std::string_view kChunk =
    "Wang et al. 2018, arXiv:1812.08011 §2.3: sums in FP16 (1,6,9), in chunks of 64; infinities are our reading";

constexpr std::array kAccumulators{
    AccumulatorEntry{"float32", sequential(kBinary32, ProductRounding::Rounded), kIeee},
    AccumulatorEntry{"float32_fma", sequential(kBinary32), "core/tensor/gemm.h: the bits of gemm()"},
    AccumulatorEntry{"float32_chunk128", chunked(sequential(kBinary32, ProductRounding::Rounded), 128, kBinary32),
                     "two levels of float32 sums; Blanchard, Higham & Mary 2020, SIAM J. Sci. Comput. 42(3), FABsum"},
    AccumulatorEntry{"float32_pairwise",
                     chunked(sequential(kBinary32, ProductRounding::Rounded), 1, kBinary32, ChunkOrder::Pairwise),
                     "Higham 2002, Accuracy and Stability of Numerical Algorithms, §4.1"},
    AccumulatorEntry{"bfloat16", sequential(kBfloat16), "one rounding to bfloat16 per product"},
    AccumulatorEntry{"float16", sequential(kBinary16), "one rounding to binary16 per product"},
    AccumulatorEntry{"fp16_169", sequential(kE6M9), kChunk},
    AccumulatorEntry{"fp16_169_chunk64", chunked(sequential(kE6M9), 64, kE6M9), kChunk},
    AccumulatorEntry{"volta_fp16", tensor_core(4, 23, kEminFp16), kModels},
    AccumulatorEntry{"ampere_fp16", tensor_core(8, 24, kEminFp16), kModels},
    AccumulatorEntry{"ampere_bf16", tensor_core(8, 24, kEminBf16), kModels},
    AccumulatorEntry{"ada_fp8", tensor_core(16, 13, kNoMinimumExponent, kE8M13), kModels},
    AccumulatorEntry{"hopper_fp16", tensor_core(16, 25, kEminFp16), kModels},
    AccumulatorEntry{"hopper_bf16", tensor_core(16, 25, kEminBf16), kModels},
    AccumulatorEntry{"hopper_fp8", tensor_core(32, 13, kNoMinimumExponent, kE8M13),
                     "as hopper_e4m3, without its least exponent: for elements that carry a scale"},
    AccumulatorEntry{"hopper_e4m3", tensor_core(32, 13, kEminE4M3, kE8M13), kModels},
    AccumulatorEntry{"hopper_e5m2", tensor_core(32, 13, kEminE5M2, kE8M13), kModels},
    AccumulatorEntry{"hopper_fp8_promote128", chunked(tensor_core(32, 13, kNoMinimumExponent, kE8M13), 128, kBinary32),
                     "DeepSeek-V3, arXiv:2412.19437 §3.3.2: every 128 elements the sum moves to float32"},
    AccumulatorEntry{"blackwell_fp16", tensor_core(16, 25, kEminFp16), kModels},
    AccumulatorEntry{"blackwell_bf16", tensor_core(16, 25, kEminBf16), kModels},
    AccumulatorEntry{"blackwell_fp8", tensor_core(32, 25), "tcgen05.mma; arXiv:2511.10909 with its public code"},
    AccumulatorEntry{"blackwell_fp8_mma_sync", chunked(tensor_core(32, 25), 32, kBinary32),
                     "what recorded outputs of mma.sync on a B200 show (README.md): each 32 from zero, then float32"},
    AccumulatorEntry{"blackwell_fp4", blackwell_fp4(),
                     "arXiv:2609.02846: groups of 64 exact, to float32; added truncating; to 1/1024"},
};

bool fits_binary32(const FormatSpec& format) {
  return format.is_valid() && format.is_signed && format.has_zero && format.mantissa_bits <= 23 &&
         format.is_exact_in_double() && format.emax() <= 127 && format.least_exponent() >= -149;
}

bool in_range(int value, int least, int most) { return value >= least && value <= most; }

}  // namespace

bool AccumulatorSpec::is_valid() const {
  for (const FormatSpec& format : {sum, group_sum, between, chunk_format, result}) {
    if (!fits_binary32(format)) return false;
  }
  return in_range(group, 1, 1024) && (alignment_bits == kExactAlignment || in_range(alignment_bits, 0, 36)) &&
         !is_stochastic(alignment) && !is_stochastic(between_rounding) && in_range(emin_a, -149, 127) &&
         in_range(emin_b, -149, 127) && chunk >= 0 && in_range(grid_bits.value_or(0), -100, 149);
}

std::span<const AccumulatorEntry> accumulator_catalog() { return kAccumulators; }

}  // namespace bitlaw
