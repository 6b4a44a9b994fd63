#include "core/tensor/accumulator.h"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "core/tensor/accumulate_gemm.h"
#include "tests/support/bits.h"
#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {

/// Products by position; the others are zero.
struct Product {
  std::size_t k;
  float a, b = 1.0F;
};

/// By definition; the kernel must agree.
float dot(std::string_view model, const std::vector<Product>& products, std::size_t length = 0) {
  std::vector<float> a(length), b(length);
  for (const Product& p : products) {
    if (p.k >= a.size()) a.resize(p.k + 1), b.resize(p.k + 1);
    a[p.k] = p.a, b[p.k] = p.b;
  }
  const AccumulatorSpec spec = parse_accumulator(model);
  const float sum = accumulate_dot(spec, a, b);
  const auto inner = static_cast<std::int64_t>(a.size());
  float by_kernel = 0;
  gemm_accumulate(spec, {a.data(), 1, inner}, {b.data(), 1, inner}, {&by_kernel, 1, 1});
  CHECK(same_bits(by_kernel, sum));
  return sum;
}

/// `first`, then ones up to `length`.
std::vector<Product> then_ones(float first, std::size_t length) {
  std::vector<Product> products{{0, first}};
  for (std::size_t k = 1; k < length; ++k) products.push_back({k, 1.0F});
  return products;
}

}  // namespace

TEST_CASE("accumulator: float32 rounds the product before the sum, float32_fma does not") {
  // (1 + 2^-12)^2 = 1 + 2^-11 + 2^-24, whose last bit is half an ulp: to even, 1 + 2^-11.
  const std::vector<Product> products{{0, -1.0F - 0x1p-11F}, {1, 1.0F + 0x1p-12F, 1.0F + 0x1p-12F}};
  CHECK(dot("float32", products) == 0.0F);
  CHECK(dot("float32_fma", products) == 0x1p-24F);
}

TEST_CASE("accumulator: chunks keep what one long sum loses") {
  // 2^24 + 1 is a tie that goes to 2^24, so 255 ones vanish one by one; the second chunk of 128 adds up to 128.
  CHECK(dot("float32", then_ones(0x1p24F, 256)) == 0x1p24F);
  CHECK(dot("float32_chunk128", then_ones(0x1p24F, 256)) == 0x1p24F + 128.0F);
}

TEST_CASE("accumulator: pairwise halves at the largest power of two") {
  // (2^24 + 1) + (1 + 1) = 2^24 + 2, where in order every one vanishes, also in pairs of the third with nothing.
  CHECK(dot("float32_pairwise", then_ones(0x1p24F, 4)) == 0x1p24F + 2.0F);
  CHECK(dot("float32_pairwise", then_ones(0x1p24F, 3)) == 0x1p24F);
  // Seven as 4 + (2 + 1): (2^24 + 2) + 3 is a tie between 2^24 + 4 and 2^24 + 6, to even. As 3 + 4 it were 2^24 + 6.
  CHECK(dot("float32_pairwise", then_ones(0x1p24F, 7)) == 0x1p24F + 4.0F);
}

TEST_CASE("accumulator: formats of the sum differ by their first lost one and by their range") {
  // p bits lose the one next to 2^p: 8 in bfloat16, 10 in (1,6,9), 11 in binary16, 24 in float32.
  CHECK(dot("bfloat16", {{0, 256}, {1, 1}}) == 256.0F);
  CHECK(dot("fp16_169", {{0, 256}, {1, 1}}) == 257.0F);
  CHECK(dot("fp16_169", {{0, 1024}, {1, 1}}) == 1024.0F);
  CHECK(dot("float16", {{0, 1024}, {1, 1}}) == 1025.0F);
  CHECK(dot("float16", {{0, 2048}, {1, 1}}) == 2048.0F);
  CHECK(dot("float32", {{0, 2048}, {1, 1}}) == 2049.0F);
  // 60000 + 10000 is beyond 65504 of binary16 and within 2^32 of (1,6,9), where the ulp is 2^16 / 2^9 = 128.
  CHECK(dot("float16", {{0, 60000}, {1, 10000}}) == std::numeric_limits<float>::infinity());
  CHECK(dot("fp16_169", {{0, 65536}, {1, 10000}}) == 75520.0F);  // 590.125 * 128 = 75536, to 590 * 128
}

TEST_CASE("accumulator: (1,6,9) in chunks of 64") {
  CHECK(dot("fp16_169", then_ones(1024, 128)) == 1024.0F);
  CHECK(dot("fp16_169_chunk64", then_ones(1024, 128)) == 1024.0F + 64.0F);
}

TEST_CASE("accumulator: product=rounded rounds to the format of the sum") {
  // (1 + 2^-7)^2 = 1 + 2^-6 + 2^-14; bfloat16 has 7 bits of fraction.
  const std::vector<Product> products{{0, -1.0F - 0x1p-6F}, {1, 1.0F + 0x1p-7F, 1.0F + 0x1p-7F}};
  CHECK(dot("bfloat16", products) == 0x1p-14F);
  CHECK(dot("bfloat16:product=rounded", products) == 0.0F);
}

TEST_CASE("accumulator: a tensor core keeps alignment_bits below the largest exponent, toward zero") {
  // E = 0, so a term keeps multiples of 2^-13.
  CHECK(dot("hopper_fp8", {{0, 1}, {1, 0x1p-13F}}) == 1.0F + 0x1p-13F);
  CHECK(dot("hopper_fp8", {{0, 1}, {1, 0x1.8p-13F}}) == 1.0F + 0x1p-13F);
  CHECK(dot("hopper_fp8", {{0, 1}, {1, -0x1p-14F}}) == 1.0F);  // rounding down would give 1 - 2^-13
  CHECK(dot("tensor_core:bits=13,align=toward_negative", {{0, 1}, {1, -0x1p-14F}}) == 1.0F - 0x1p-13F);
  CHECK(dot("tensor_core:bits=13,align=ties_to_even", {{0, 1}, {1, 0x1.8p-13F}}) == 1.0F + 0x1p-12F);
  // Each of 31 terms is cut before they are added: together they were 31/2 units.
  std::vector<Product> halves{{0, 1}};
  for (std::size_t k = 1; k < 32; ++k) halves.push_back({k, 0x1p-14F});
  CHECK(dot("hopper_fp8", halves) == 1.0F);
}

TEST_CASE("accumulator: the exponent of a product is the sum of its factors' exponents") {
  // 1.5 * 1.5 = 2.25 counts as 2^0, so 2^-13 survives beside it; as 2^1 it would not.
  CHECK(dot("hopper_fp8", {{0, 1.5F, 1.5F}, {1, 0x1p-13F}, {2, -1.5F, 1.5F}}) == 0x1p-13F);
}

TEST_CASE("accumulator: volta, ampere and hopper keep 23, 24 and 25 bits") {
  for (const char* type : {"fp16", "bf16"}) {
    CHECK(dot(std::string("hopper_") + type, {{0, 1}, {1, 0x1p-25F}, {2, -1}}) == 0x1p-25F);
    CHECK(dot(std::string("hopper_") + type, {{0, 1}, {1, 0x1p-26F}, {2, -1}}) == 0.0F);
    CHECK(dot(std::string("ampere_") + type, {{0, 1}, {1, 0x1p-24F}, {2, -1}}) == 0x1p-24F);
    CHECK(dot(std::string("ampere_") + type, {{0, 1}, {1, 0x1p-25F}, {2, -1}}) == 0.0F);
  }
  CHECK(dot("volta_fp16", {{0, 1}, {1, 0x1p-23F}, {2, -1}}) == 0x1p-23F);
  CHECK(dot("volta_fp16", {{0, 1}, {1, 0x1p-24F}, {2, -1}}) == 0.0F);
  CHECK(dot("hopper_fp8", {{0, 1}, {1, 0x1p-25F}, {2, -1}}) == 0.0F);
}

TEST_CASE("accumulator: groups of 4, 8, 16 and 32 round between them") {
  // 1 + 2^-24 is truncated to 1 before the group that takes 1 away again; in one group 2^-24 is left.
  const auto across = [](std::size_t k) { return std::vector<Product>{{0, 1}, {1, 0x1p-24F}, {k, -1}}; };
  CHECK(dot("ampere_fp16", across(7)) == 0x1p-24F);
  CHECK(dot("ampere_fp16", across(8)) == 0.0F);
  CHECK(dot("hopper_fp16", across(15)) == 0x1p-24F);
  CHECK(dot("hopper_fp16", across(16)) == 0.0F);
  CHECK(dot("blackwell_fp8", across(31)) == 0x1p-24F);
  CHECK(dot("blackwell_fp8", across(32)) == 0.0F);
  // 14 bits of 2.25 end at 2^-12.
  const auto in_fp8 = [](std::size_t k) {
    return std::vector<Product>{{0, 1.5F, 1.5F}, {1, 0x1p-13F}, {k, -1.5F, 1.5F}};
  };
  CHECK(dot("ada_fp8", in_fp8(15)) == 0x1p-13F);
  CHECK(dot("ada_fp8", in_fp8(16)) == 0.0F);
  CHECK(dot("hopper_fp8", in_fp8(16)) == 0x1p-13F);
}

TEST_CASE("accumulator: the running sum is aligned with the products, or added after them") {
  // c = 1 in the second group: E = 0, and four terms of 2^-14 are cut to nothing; summed first they are 2^-12.
  std::vector<Product> products{{0, 1}};
  for (std::size_t k = 16; k < 20; ++k) products.push_back({k, 0x1p-14F});
  CHECK(dot("tensor_core:bits=13", products) == 1.0F);
  CHECK(dot("tensor_core:bits=13,running=after", products) == 1.0F + 0x1p-12F);
}

TEST_CASE("accumulator: hopper_fp8_promote128 starts from zero every 128 elements") {
  // 2^-14 each: beside 1 nothing is left of them, from zero they add up to 128 * 2^-14 = 2^-7.
  std::vector<Product> products{{0, 1}};
  for (std::size_t k = 128; k < 256; ++k) products.push_back({k, 0x1p-14F});
  CHECK(dot("hopper_fp8", products) == 1.0F);
  CHECK(dot("hopper_fp8_promote128", products) == 1.0F + 0x1p-7F);
}

TEST_CASE("accumulator: blackwell_fp8_mma_sync adds each 32 elements in float32, to nearest") {
  // 1 + 1.5 * 2^-23: toward zero 1 + 2^-23; to nearest a tie, to 1 + 2^-22.
  const std::vector<Product> products{{0, 1}, {32, 0x1.8p-23F}};
  CHECK(dot("blackwell_fp8", products) == 1.0F + 0x1p-23F);
  CHECK(dot("blackwell_fp8_mma_sync", products) == 1.0F + 0x1p-22F);
}

TEST_CASE("accumulator: subnormal operands have the least exponent of their format") {
  // 2^-9 is subnormal in E4M3, emin -6: e = -6 + 3, so multiples of 2^-16 are kept and 2^-18 is not. By value, e = -6.
  const std::vector<Product> products{{0, 0x1p-9F, 8}, {1, 0x1p-9F, 0x1p-9F}};
  CHECK(dot("hopper_e4m3", products) == 0x1p-6F);
  CHECK(dot("hopper_fp8", products) == 0x1p-6F + 0x1p-18F);
  CHECK(dot("hopper_e5m2", products) == 0x1p-6F + 0x1p-18F);  // emin -14: neither is subnormal
  CHECK(dot("tensor_core:bits=13,emin_a=-6", products) == 0x1p-6F);
  CHECK(dot("tensor_core:bits=13,emin_b=-6", products) == 0x1p-6F + 0x1p-18F);  // 8 is above 2^-6
}

TEST_CASE("accumulator: blackwell_fp4 sums 64 exactly, to nearest; adds truncating; ends on a grid of 1/1024") {
  const std::string_view ungridded = "blackwell_fp4:grid=none";
  // 1 + 2^-24 + 2^-30 is nearer to 1 + 2^-23; truncated it is 1. 2^60 and -2^60 leave no trace.
  CHECK(dot(ungridded, {{0, 1}, {1, 0x1p-24F}, {2, 0x1p-30F}}) == 1.0F + 0x1p-23F);
  CHECK(dot("blackwell_fp4:grid=none,running=aligned", {{0, 1}, {1, 0x1p-24F}, {2, 0x1p-30F}}) == 1.0F);
  CHECK(dot(ungridded, {{0, 0x1p60F}, {1, 1}, {63, -0x1p60F}}) == 1.0F);
  CHECK(dot(ungridded, {{0, 0x1p60F}, {1, 1}, {64, -0x1p60F}}) == 0.0F);
  // 1 plus 1.75 ulp: toward zero, one ulp.
  CHECK(dot(ungridded, {{0, 1}, {64, 0x1.cp-23F}}) == 1.0F + 0x1p-23F);
  CHECK(dot(ungridded, {{0, 1}, {64, -0x1p-40F}}) == 1.0F - 0x1p-24F);
  // 1025.5/1024 and 1024.5/1024 are ties.
  CHECK(dot("blackwell_fp4", {{0, 1}, {1, 0x1.8p-10F}}) == 1.0F + 0x1p-9F);
  CHECK(dot("blackwell_fp4", {{0, 1}, {1, 0x1p-11F}}) == 1.0F);
}

TEST_CASE("accumulator: a sum that double cannot hold is still rounded once") {
  // 1 + 2^-23 + 2^-24 (1 - 2^-46) lies just below a tie; the double next to it is the tie, which went up, to even.
  const float odd = 1.0F + 0x1p-23F, below = 1.0F - 0x1p-23F;
  CHECK(dot("float32_fma", {{0, odd}, {1, 0x1p-24F * odd, below}}) == odd);
  CHECK(dot("float32_fma:chunk=8", {{0, odd}, {1, 0x1p-24F * odd, below}}) == odd);
  CHECK(dot("bfloat16", {{0, 1.0F + 0x1p-7F}, {1, 0x1p-8F * odd, below}}) == 1.0F + 0x1p-7F);
  // 1 - 2^-80, toward zero, is the number below 1; as a double it is 1.
  CHECK(dot("blackwell_fp4:grid=none", {{0, 1}, {64, -0x1p-80F}}) == 1.0F - 0x1p-24F);
  CHECK(dot("tensor_core:bits=exact", {{0, 1}, {1, -0x1p-80F}}) == 1.0F - 0x1p-24F);
  CHECK(dot("tensor_core:bits=exact", {{0, 1}, {1, 0x1p-60F}, {2, -0x1p-120F}}) == 1.0F);
}

TEST_CASE("accumulator: a subnormal running sum has the least exponent of its format") {
  // 2^-20 is subnormal in binary16, emin -14: in the second group E = -14, and multiples of 2^-17 are kept.
  CHECK(dot("tensor_core:bits=3,between=float16", {{0, 0x1p-20F}}, 16) == 0x1p-20F);
  CHECK(dot("tensor_core:bits=3,between=float16", {{0, 0x1p-20F}}, 17) == 0.0F);
  CHECK(dot("tensor_core:bits=3", {{0, 0x1p-20F}}, 17) == 0x1p-20F);
}

TEST_CASE("accumulator: the result is rounded once more where the model says so") {
  CHECK(dot("float32:result=bfloat16", {{0, 256}, {1, 3}}) == 260.0F);  // 259 is a tie between 258 and 260
  CHECK(dot("float32:result=float16,grid=-2", {{0, 5}}) == 4.0F);
}

TEST_CASE("accumulator: zeros, infinities and NaN") {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (const AccumulatorEntry& entry : accumulator_catalog()) {
    CAPTURE(entry.name);
    CHECK(same_bits(dot(entry.name, {}), 0.0F));
    CHECK(same_bits(dot(entry.name, {{0, -0.0F}}), 0.0F));
    CHECK(same_bits(dot(entry.name, {{0, 1}, {1, -1}}), 0.0F));
    CHECK(dot(entry.name, {{0, 1}, {1, -infinity}, {200, 1}}) == -infinity);
    CHECK(bits_of(dot(entry.name, {{0, infinity}, {200, -infinity}})) == bits_of(nan));
    CHECK(bits_of(dot(entry.name, {{0, -nan}, {200, 1}})) == bits_of(nan));
    CHECK(bits_of(dot(entry.name, {{3, 0.0F, infinity}})) == bits_of(nan));
  }
  // 2^127 + 2^127 overflows: to infinity where sums are rounded to nearest, to the largest number toward zero.
  CHECK(dot("float32", {{0, 0x1p127F}, {1, 0x1p127F}}) == infinity);
  CHECK(dot("hopper_bf16", {{0, 0x1p127F}, {1, 0x1p127F}}) == std::numeric_limits<float>::max());
}

TEST_CASE("parse_accumulator: every name of the table is read, and written where it is its model's first") {
  for (const AccumulatorEntry& entry : accumulator_catalog()) {
    CAPTURE(entry.name);
    CHECK(entry.spec.is_valid());
    CHECK(parse_accumulator(entry.name) == entry.spec);
    CHECK(parse_accumulator(accumulator_name(entry.spec)) == entry.spec);
  }
  CHECK(accumulator_name(parse_accumulator("hopper_e4m3")) == "hopper_e4m3");
  CHECK(accumulator_name(parse_accumulator("blackwell_bf16")) == "hopper_bf16");
}

TEST_CASE("parse_accumulator: options in any order, written back as few as needed") {
  const auto written = [](std::string_view name) { return accumulator_name(parse_accumulator(name)); };
  CHECK(written("sequential") == "float32");
  CHECK(written("sequential:chunk=64,sum=e6m9,ieee,product=fused,chunk_format=e6m9,ieee") == "fp16_169_chunk64");
  CHECK(written("tensor_core:bits=13,group=32,between=e8m13,ieee") == "hopper_fp8");
  CHECK(written("tensor_core:group=7,bits=exact,align=to_odd,running=after,between_round=ties_to_even,emin_a=-6") ==
        "tensor_core:group=7,bits=exact,align=to_odd,running=after,between_round=ties_to_even,emin_a=-6");
  CHECK(written("hopper_fp8:grid=10,result=bfloat16") ==
        "tensor_core:group=32,bits=13,between=e8m13,ieee,result=bfloat16,grid=10");
  CHECK(written("blackwell_fp4:grid=none") == "tensor_core:group=64,bits=exact,running=after");
}

TEST_CASE("parse_accumulator: a name that cannot be read says what, why and what instead") {
  const auto refusal = [](std::string_view name) { return message_of([&] { parse_accumulator(name); }); };
  CHECK(refusal("hoper_fp8") ==
        "unknown accumulator 'hoper_fp8', neither a name of the table nor 'sequential' or 'tensor_core' with options, "
        "so nothing can be summed with it; did you mean 'hopper_fp8'?");
  CHECK(refusal("tensor_core:grup=8") ==
        "accumulator 'tensor_core:grup=8': no option 'grup' of this kind of sum, so it would have no effect; did you "
        "mean 'group'?");
  CHECK(refusal("bfloat16:bits=3") ==
        "accumulator 'bfloat16:bits=3': no option 'bits' of this kind of sum, so it would have no effect; use one of: "
        "sum, product, chunk, chunk_order, chunk_format, result, grid");
  CHECK(refusal("tensor_core:group=0") ==
        "accumulator 'tensor_core:group=0': option 'group' cannot be '0', so the sum is not defined; use 1 to 1024");
  CHECK(refusal("tensor_core:align=stochastic_exact") ==
        "accumulator 'tensor_core:align=stochastic_exact': option 'align' cannot be 'stochastic_exact', so the sum is "
        "not defined; use ties_to_even, toward_zero or another rounding that is not stochastic");
  CHECK(refusal("sequential:sum=float64") ==
        "accumulator 'sequential:sum=float64': option 'sum' cannot be 'float64', so the sum is not defined; use a "
        "format within float32, with sign and zero");
  CHECK(
      refusal("tensor_core:bits") ==
      "accumulator 'tensor_core:bits': option 'bits' cannot be '', so the sum is not defined; use 0 to 36 or 'exact'");
}
