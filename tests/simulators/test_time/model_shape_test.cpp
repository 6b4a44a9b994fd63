#include "simulators/test_time/model_shape.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {
namespace {

/// The shape that a config.json of these members gives.
ModelShape shape_of(const std::string& members) {
  TemporaryFolder folder;
  folder.write("config.json", "{" + members + "}");
  return read_model_shape(folder.path() / "config.json");
}

std::string shape_complaint(const std::string& members) {
  try {
    shape_of(members);
  } catch (const InputError& error) {
    const std::string text = error.what();
    return text.substr(text.find("config.json"));
  }
  return "";
}

constexpr const char* kQwen3_8b =
    R"("hidden_size": 4096, "num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8,
       "head_dim": 128, "intermediate_size": 12288, "vocab_size": 151936, "tie_word_embeddings": false,
       "sliding_window": null, "use_sliding_window": false)";

TEST_CASE("model shape: Qwen3's config.json give the sizes that are published") {
  struct Row {
    const char* name;
    int hidden, layers, heads, intermediate;
    const char* tied;
  };
  // The table counts the tied head of 0.6B and 1.7B as well: "false" there.
  for (const Row& row :
       {Row{"qwen3-0.6b", 1024, 28, 16, 3072, "false"}, Row{"qwen3-1.7b", 2048, 28, 16, 6144, "false"},
        Row{"qwen3-4b", 2560, 36, 32, 9728, "true"}, Row{"qwen3-8b", 4096, 36, 32, 12288, "false"},
        Row{"qwen3-14b", 5120, 40, 40, 17408, "false"}, Row{"qwen3-32b", 5120, 64, 64, 25600, "false"}}) {
    CAPTURE(row.name);
    const ModelShape shape = shape_of(
        "\"hidden_size\": " + std::to_string(row.hidden) + ", \"num_hidden_layers\": " + std::to_string(row.layers) +
        ", \"num_attention_heads\": " + std::to_string(row.heads) +
        ", \"num_key_value_heads\": 8, \"head_dim\": 128, \"intermediate_size\": " + std::to_string(row.intermediate) +
        ", \"vocab_size\": 151936, \"tie_word_embeddings\": " + row.tied);
    const ModelShape& known = find_model_shape(row.name);
    CHECK(std::abs(shape.params / known.params - 1) < 0.001);  // printed with three or four digits
    CHECK(shape.active_params == shape.params);
    CHECK(shape.kv_elements() == known.kv_elements());
    CHECK(shape.group_ratio() == known.group_ratio());
  }
}

TEST_CASE("model shape: the cache and the groups of Qwen3 are those of arXiv:2506.05333") {
  struct Row {
    const char* name;
    double elements, ratio;
  };
  for (const Row& row : {Row{"qwen3-0.6b", 57344, 2}, Row{"qwen3-1.7b", 57344, 2}, Row{"qwen3-4b", 73728, 4},
                         Row{"qwen3-8b", 73728, 4}, Row{"qwen3-14b", 81920, 5}, Row{"qwen3-32b", 131072, 8}}) {
    CHECK(find_model_shape(row.name).kv_elements() == row.elements);
    CHECK(find_model_shape(row.name).group_ratio() == row.ratio);
  }
}

TEST_CASE("model shape: of Qwen3-30B-A3B's 30.5 G parameters a token goes through 3.3 G, as published") {
  const ModelShape shape = shape_of(
      R"("hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32, "num_key_value_heads": 4,
         "head_dim": 128, "intermediate_size": 6144, "moe_intermediate_size": 768, "num_experts": 128,
         "num_experts_per_tok": 8, "vocab_size": 151936, "tie_word_embeddings": false)");
  CHECK(std::round(shape.params / 1e8) == 305);
  CHECK(std::floor(shape.active_params / 1e8) == 33);
}

TEST_CASE("model shape: heads without groups, and a head's width from the hidden size (Llama 2 7B: 6.74 G)") {
  const ModelShape shape = shape_of(
      R"("hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 11008,
         "vocab_size": 32000, "tie_word_embeddings": false)");
  CHECK(shape.kv_heads == 32);
  CHECK(shape.head_dim == 128);
  CHECK(std::round(shape.params / 1e7) == 674);
}

TEST_CASE("model shape: the name is that of the folder") {
  TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "my-model");
  folder.write("my-model/config.json", std::string("{") + kQwen3_8b + "}");
  CHECK(model_shape((folder.path() / "my-model/config.json").string()).name == "my-model");
  CHECK(model_shape("qwen3-8b").name == "qwen3-8b");
}

TEST_CASE("model shape: what is missing, wrong or another kind of attention is named with file and key") {
  const std::string good = kQwen3_8b;
  const auto with = [&](const std::string& member) { return shape_complaint(good + ", " + member); };
  CHECK(shape_complaint("\"hidden_size\": 4096") ==
        "config.json: 'num_hidden_layers' is missing, so the cost of an answer is unknown; get the file of a "
        "decoder-only transformer as Hugging Face has it");
  CHECK(with("\"num_hidden_layers\": 2.5").starts_with("config.json: 'num_hidden_layers' is 2.5, not a positive"));
  CHECK(with("\"vocab_size\": -1").starts_with("config.json: 'vocab_size' is -1, not a positive whole number"));
  CHECK(with("\"num_key_value_heads\": 5").starts_with("config.json: 'num_key_value_heads' does not divide"));
  CHECK(with("\"kv_lora_rank\": 512").starts_with("config.json: 'kv_lora_rank' says that the cache is compressed"));
  CHECK(with("\"use_sliding_window\": true, \"sliding_window\": 4096")
            .starts_with("config.json: 'sliding_window' says that some layers see only part of the context"));
  CHECK(with("\"num_experts\": 8, \"moe_intermediate_size\": 3")
            .starts_with("config.json: 'num_experts_per_tok' is missing"));
  CHECK(shape_complaint(good) == "");
  CHECK_THROWS_WITH(find_model_shape("qwen3-8"),
                    "model 'qwen3-8': is not known, so the cost of its answers is "
                    "unknown; did you mean 'qwen3-8b'?");
  TemporaryFolder folder;
  folder.write("config.json", "[1");
  CHECK_THROWS_WITH(read_model_shape(folder.path() / "config.json"), doctest::Contains("is not JSON from byte 3 on"));
}

}  // namespace
}  // namespace bitlaw
