#include "simulators/test_time/inference_cost.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/error.h"
#include "simulators/test_time/storage_bits.h"

namespace bitlaw {
namespace {

InferenceSetting setting_of(const char* model, const char* attention = "dense") {
  return {.model = find_model_shape(model), .attention = parse_attention(attention)};
}

double tera(double value) { return value * 1e-12; }

/// Printed with four decimals.
void check_printed(double value, double printed) { CHECK(std::abs(value - printed) <= 0.5001e-4); }

double total(const InferenceSetting& setting, double generated, double trials, KvCount count = KvCount::Exact) {
  const TaskCost cost = task_cost(setting, 256, generated, trials, WeightReads::Amortised, count);
  return tera(effective_flops(cost, find_hardware("b200")));
}

TEST_CASE("cost: dense answers cost what the code of arXiv:2506.05333 says, to all printed digits") {
  struct Row {
    const char* model;
    double compute, memory;  // TeFLOP at L_in = 256, L = 8192, N = 1
  };
  for (const Row& row : {Row{"qwen3-0.6b", 20.4984, 2299.9550}, Row{"qwen3-1.7b", 41.4371, 2299.9550},
                         Row{"qwen3-4b", 86.8918, 2957.0850}, Row{"qwen3-8b", 155.2131, 2957.0850},
                         Row{"qwen3-14b", 271.1975, 3285.6500}, Row{"qwen3-32b", 611.5066, 5257.0400}}) {
    CAPTURE(row.model);
    const TaskCost cost = task_cost(setting_of(row.model), 256, 8192, 1);
    check_printed(tera(cost.compute), row.compute);
    check_printed(tera(cost.bytes * 562.5), row.memory);
  }
  check_printed(total(setting_of("qwen3-0.6b"), 32768, 1), 35350.1347);
  check_printed(total(setting_of("qwen3-8b"), 32768, 1), 46084.3526);
  check_printed(total(setting_of("qwen3-14b"), 32768, 1), 51665.7607);
  check_printed(total(setting_of("qwen3-32b"), 32768, 1), 83692.2392);
  check_printed(total(setting_of("qwen3-0.6b"), 8192, 32), 70060.4724);
  check_printed(total(setting_of("qwen3-8b"), 8192, 32), 94201.2079);
  check_printed(total(setting_of("qwen3-32b"), 8192, 32), 178207.1242);
}

TEST_CASE("cost: 64 blocks of 16 cost what the code of arXiv:2506.05333 says, to all printed digits") {
  struct Row {
    const char* model;
    double at_8192, at_32768;
  };
  for (const Row& row : {Row{"qwen3-0.6b", 608.4469, 3305.7018}, Row{"qwen3-8b", 903.3484, 4738.3976},
                         Row{"qwen3-32b", 1913.7965, 9669.3154}}) {
    CAPTURE(row.model);
    for (const KvCount count : {KvCount::Exact, KvCount::PublishedCode}) {  // agree where the block divides 2 L_in + L
      check_printed(total(setting_of(row.model, "block_top_k:16x64"), 8192, 1, count), row.at_8192);
      check_printed(total(setting_of(row.model, "block_top_k:16x64"), 32768, 1, count), row.at_32768);
    }
  }
}

TEST_CASE("cost: attention over parameters is the paper's Phi") {
  struct Row {
    const char* model;
    double at_8192, at_32768;
  };
  for (const Row& row :
       {Row{"qwen3-0.6b", 176.36, 705.31}, Row{"qwen3-1.7b", 65.33, 261.28}, Row{"qwen3-4b", 42.58, 170.24},
        Row{"qwen3-8b", 20.90, 83.56}, Row{"qwen3-14b", 12.90, 51.58}, Row{"qwen3-32b", 9.36, 37.41}}) {
    CAPTURE(row.model);
    const Hardware& b200 = find_hardware("b200");
    CHECK(std::abs(attention_share(setting_of(row.model), 256, 8192, b200) - row.at_8192) <= 0.005001);
    CHECK(std::abs(attention_share(setting_of(row.model), 256, 32768, b200) - row.at_32768) <= 0.005001);
  }
  // It is the limit of many trials: what they pay beyond their parameters.
  const InferenceSetting setting = setting_of("qwen3-8b");
  const double trials = 1e12, params = 2 * 8.19e9 * 8192;
  const double each = effective_flops(task_cost(setting, 256, 8192, trials), find_hardware("b200")) / trials;
  CHECK(each / params - 1 == doctest::Approx(attention_share(setting, 256, 8192, find_hardware("b200"))).epsilon(1e-9));
}

/// What decoding does, token by token and head by head: multiply-adds of the attention and numbers read from the cache.
struct Counted {
  double multiply_adds = 0, read = 0;
};

/// `itself`: whether a token counts as part of its context.
Counted count_decoding(const ModelShape& m, const Attention& attention, int prompt, int generated, int trials,
                       bool itself) {
  Counted counted;
  for (int t = 0; t < generated; ++t) {
    const double context = prompt + t + (itself ? 1 : 0);
    const double attended = std::min(context, attention.budget());
    for (int layer = 0; layer < m.layers; ++layer) {
      for (int trial = 0; trial < trials; ++trial) {
        for (int head = 0; head < m.query_heads; ++head) {
          counted.multiply_adds += 2 * attended * m.head_dim;  // q k^T and p v
          if (attention.block > 0)
            counted.multiply_adds += context / attention.block * m.head_dim;  // q with block keys
        }
        for (int head = 0; head < m.kv_heads; ++head) {
          const bool shares = trial > 0;  // the prompt's cache was read for the first trial
          const double own = context - (shares ? prompt : 0);
          counted.read += 2 * m.head_dim * (attention.kind == AttentionKind::Dense ? own : attended);
          if (attention.block > 0) counted.read += own / attention.block * m.head_dim;
        }
      }
    }
  }
  return counted;
}

/// The mean of counting a token as part of its own context and not.
Counted brute_force(const ModelShape& m, const Attention& attention, int prompt, int generated, int trials) {
  const Counted without = count_decoding(m, attention, prompt, generated, trials, false);
  const Counted with = count_decoding(m, attention, prompt, generated, trials, true);
  return {(without.multiply_adds + with.multiply_adds) / 2, (without.read + with.read) / 2};
}

const ModelShape kSmall{.name = "small",
                        .params = 1000,
                        .active_params = 1000,
                        .layers = 3,
                        .hidden = 24,
                        .query_heads = 6,
                        .kv_heads = 2,
                        .head_dim = 4,
                        .source = ""};

TEST_CASE("cost: dense, top-k and blocks equal the sum over tokens, layers and heads, at any number of bits") {
  for (const char* text :
       {"dense", "top_k:7", "top_k:20", "top_k:1000", "block_top_k:4x2", "block_top_k:4x5+3", "block_top_k:16x64"}) {
    for (const double bits : {16.0, 8.0, 4.25}) {
      for (const int trials : {1, 5}) {
        CAPTURE(text);
        CAPTURE(bits);
        CAPTURE(trials);
        const InferenceSetting setting{
            .model = kSmall, .attention = parse_attention(text), .weight_bits = 16, .kv_bits = bits};
        const Counted counted = brute_force(kSmall, setting.attention, 12, 30, trials);
        const TaskCost cost = task_cost(setting, 12, 30, trials);
        CHECK(cost.compute == doctest::Approx(2 * (1000.0 * 30 * trials + counted.multiply_adds)).epsilon(1e-12));
        CHECK(cost.bytes == doctest::Approx(counted.read * bits / 8).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("cost: the published top-k count has the wrong sign, the published block count is right below the context") {
  const auto read = [](const char* text, int prompt, int generated, KvCount count) {
    const InferenceSetting setting{.model = kSmall, .attention = parse_attention(text)};
    return task_cost(setting, prompt, generated, 1, WeightReads::Amortised, count).bytes;
  };
  const auto counted = [](const char* text, int prompt, int generated) {
    return 2 * brute_force(kSmall, parse_attention(text), prompt, generated, 1).read;
  };
  const double both = 2 * kSmall.kv_elements();  // bytes of a position
  CHECK(read("top_k:20", 12, 30, KvCount::Exact) == counted("top_k:20", 12, 30));
  // b L + (b - L_in)^2 / 2 exceeds the sum by (b - L_in)^2.
  CHECK(read("top_k:20", 12, 30, KvCount::PublishedCode) - counted("top_k:20", 12, 30) == 64 * both);
  CHECK(read("top_k:7", 12, 30, KvCount::PublishedCode) == counted("top_k:7", 12, 30));  // b <= L_in: no square
  CHECK(read("block_top_k:4x5", 12, 32, KvCount::PublishedCode) == counted("block_top_k:4x5", 12, 32));
  // A budget above L_in + L: everything is read, and b L - (b - L_in)^2 / 2 is not that.
  CHECK(read("top_k:50", 12, 32, KvCount::Exact) == counted("dense", 12, 32));
  CHECK(read("block_top_k:4x20", 12, 32, KvCount::Exact) == counted("block_top_k:4x20", 12, 32));
  CHECK(counted("block_top_k:4x20", 12, 32) - read("block_top_k:4x20", 12, 32, KvCount::PublishedCode) ==
        (80.0 - 44) * (80 - 44) / 2 * both);
  // Its search is rounded down where the block does not divide 2 L_in + L: 57 / 4 to 14.
  CHECK(counted("block_top_k:4x5", 12, 33) - read("block_top_k:4x5", 12, 33, KvCount::PublishedCode) ==
        0.25 * 33 * both / 4);
}

TEST_CASE("cost: an answer whose weights are read for it alone costs the paper's formula for a single one") {
  const InferenceSetting setting = setting_of("qwen3-8b");
  const double p = 8.19e9, d = 73728, r = 4, in = 256, out = 8192;
  const TaskCost cost = task_cost(setting, in, out, 1, WeightReads::OncePerStep);
  CHECK(cost.compute == doctest::Approx(2 * p * out + r * (2 * in + out) * out * d).epsilon(1e-14));
  CHECK(cost.bytes == doctest::Approx(2 * p * out + 2 * in * out * d + out * out * d).epsilon(1e-14));
  // FP4 weights with scales are 4.25 of 16 bits; trials that decode together read them once.
  InferenceSetting fp4 = setting;
  fp4.weight_bits = storage_bits("mxfp4", setting.model.hidden);
  for (const double trials : {1.0, 8.0}) {
    const double weights = task_cost(fp4, in, out, trials, WeightReads::OncePerStep).bytes -
                           task_cost(fp4, in, out, trials, WeightReads::Amortised).bytes;
    CHECK(weights == doctest::Approx(p * out * 4.25 / 8).epsilon(1e-12));
  }
}

TEST_CASE("cost: max() takes the slower of compute and memory, and eFLOPs over FLOP/s are seconds") {
  const Hardware& b200 = find_hardware("b200");
  CHECK(b200.intensity() == 562.5);
  const TaskCost cost = task_cost(setting_of("qwen3-8b"), 256, 32768, 1);
  const double compute_seconds = cost.compute / 4.5e15, memory_seconds = cost.bytes / 8e12;
  CHECK(effective_flops(cost, b200) / 4.5e15 == doctest::Approx(compute_seconds + memory_seconds).epsilon(1e-14));
  CHECK(effective_flops(cost, b200, CostTotal::Max) / 4.5e15 == doctest::Approx(memory_seconds).epsilon(1e-14));
  const TaskCost long_compute{.compute = 2e12, .bytes = 1e9};
  CHECK(effective_flops(long_compute, b200, CostTotal::Max) == 2e12);
  CHECK(effective_flops(long_compute, b200) == 2.5625e12);
}

TEST_CASE("cost: the cache of 32768 tokens takes 3.5 GiB for Qwen3 0.6B and 8 GiB for 32B, as printed, in bfloat16") {
  const double gib = std::pow(2.0, 30);
  CHECK(cache_bytes(setting_of("qwen3-0.6b"), 0, 32768, 1) == 3.5 * gib);
  CHECK(cache_bytes(setting_of("qwen3-32b"), 0, 32768, 1) == 8 * gib);
  InferenceSetting fp8 = setting_of("qwen3-32b");
  fp8.kv_bits = storage_bits("mxfp8", fp8.model.head_dim);
  CHECK(cache_bytes(fp8, 768, 1000, 32) == 131072 * 8.25 / 8 * 32768);  // one prompt, 32 answers
}

TEST_CASE("storage bits: elements, codebooks, and blocks with their scales") {
  struct Row {
    const char* name;
    int columns;
    double bits;
  };
  for (const Row& row :
       {Row{"float32", 128, 32}, Row{"bfloat16", 128, 16}, Row{"e4m3", 128, 8}, Row{"int4", 128, 4}, Row{"nf4", 128, 4},
        Row{"e3m2:bias=4,ieee", 128, 6}, Row{"mxfp4", 128, 4.25}, Row{"mxfp8", 128, 8.25}, Row{"nvfp4", 128, 4.5},
        Row{"mxfp4", 80, 4 + 3 * 8 / 80.0},  // a ragged third block
        Row{"nvfp4_16x16", 128, 4 + 8 / 256.0}, Row{"fp8_tensor", 128, 8}, Row{"fp8_channel", 128, 8.25},
        Row{"fp8_1x128", 128, 8.25}, Row{"int4_g64", 128, 4.5}}) {
    CAPTURE(row.name);
    CHECK(storage_bits(row.name, row.columns) == row.bits);
  }
  CHECK_THROWS_WITH_AS(storage_bits("mxfp44", 128), doctest::Contains("'mxfp4'"), InputError);
}

TEST_CASE("attention: what is written is what is read") {
  for (const char* text : {"dense", "top_k:1024", "block_top_k:16x64", "block_top_k:16x64+128"}) {
    CHECK(parse_attention(text).to_string() == text);
  }
  CHECK(parse_attention("block_top_k:16x64+128").budget() == 1152);
  for (const char* text : {"", "densely", "top_k", "top_k:0", "top_k:07", "top_k:5x", "block_top_k:16",
                           "block_top_k:16x0", "block_top_k:16x64+0", "block_top_k:16x64+", "top_k:99999999999"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_attention(text), InputError);
  }
  CHECK_THROWS_WITH(parse_attention("topk:4"),
                    "attention 'topk:4': is not known, so the cache that is read has no size; write dense, "
                    "top_k:TOKENS or block_top_k:BLOCKxBLOCKS[+LOCAL]");
}

TEST_CASE("hardware: an unknown name is refused with those that exist") {
  CHECK_THROWS_WITH(find_hardware("b100"), doctest::Contains("did you mean 'b200'"));
}

}  // namespace
}  // namespace bitlaw
