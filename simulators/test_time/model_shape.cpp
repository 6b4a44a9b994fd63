#include "simulators/test_time/model_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "core/base/closest.h"
#include "core/base/error.h"
#include "core/base/file.h"

namespace bitlaw {
namespace {

using nlohmann::json;

ModelShape qwen3(std::string name, double params, int layers, int hidden, int query_heads) {
  const std::string file =
      fmt::format("huggingface.co/Qwen/{}, config.json; parameters: arXiv:2506.05333's code", name);
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c == 'Q' ? 'q' : c == 'B' ? 'b' : c; });
  return {.name = std::move(name),
          .params = params,
          .active_params = params,
          .layers = layers,
          .hidden = hidden,
          .query_heads = query_heads,
          .kv_heads = 8,
          .head_dim = 128,
          .source = file};
}

const auto& shapes() {
  static const std::vector<ModelShape> kShapes{
      qwen3("Qwen3-0.6B", 0.752e9, 28, 1024, 16),  // counts the tied head apart from the embedding, as does 1.7B
      qwen3("Qwen3-1.7B", 2.03e9, 28, 2048, 16),  qwen3("Qwen3-4B", 4.02e9, 36, 2560, 32),
      qwen3("Qwen3-8B", 8.19e9, 36, 4096, 32),    qwen3("Qwen3-14B", 14.77e9, 40, 5120, 40),
      qwen3("Qwen3-32B", 32.76e9, 64, 5120, 64),
  };
  return kShapes;
}

/// The members of a config.json, and complaints about them.
class Config {
 public:
  explicit Config(const std::filesystem::path& path) : path_(path) {
    try {
      members_ = json::parse(read_file(path));
    } catch (const json::parse_error& error) {
      throw InputError(
          fmt::format("{}: is not JSON from byte {} on, so the model's shape is unknown; get the file again",
                      path_.string(), error.byte));
    }
    if (!members_.is_object()) {
      throw InputError(path_.string() + ": is no JSON object, so the model's shape is unknown; get the file again");
    }
  }

  bool has(const char* key) const { return members_.contains(key) && !members_[key].is_null(); }

  bool flag(const char* key) const { return has(key) && members_[key].is_boolean() && members_[key].get<bool>(); }

  int whole(const char* key) const {
    constexpr int kMost = 1 << 30;
    if (has(key) && members_[key].is_number_integer()) {
      const auto value = members_[key].get<std::int64_t>();
      if (value > 0 && value <= kMost) return static_cast<int>(value);
    }
    refuse(key, has(key) ? fmt::format("is {}, not a positive whole number", members_[key].dump()) : "is missing",
           "get the file of a decoder-only transformer as Hugging Face has it");
  }

  int whole_or(const char* key, int other) const { return has(key) ? whole(key) : other; }

  [[noreturn]] void refuse(const char* key, const std::string& what, const char* cure) const {
    throw InputError(
        fmt::format("{}: '{}' {}, so the cost of an answer is unknown; {}", path_.string(), key, what, cure));
  }

 private:
  std::filesystem::path path_;
  json members_;
};

void refuse_other_attention(const Config& config) {
  constexpr const char* kCure = "use a model with dense grouped-query attention";
  if (config.has("kv_lora_rank")) config.refuse("kv_lora_rank", "says that the cache is compressed", kCure);
  const bool switched_off = config.has("use_sliding_window") && !config.flag("use_sliding_window");
  if (config.has("sliding_window") && !switched_off) {
    config.refuse("sliding_window", "says that some layers see only part of the context", kCure);
  }
}

/// Parameters of a layer's MLP: all, and those that one token goes through.
struct MlpSize {
  double all, active;
};

MlpSize mlp_size(const Config& config, double hidden) {
  const char* key = config.has("num_experts") ? "num_experts" : "num_local_experts";
  if (!config.has(key)) {
    const double dense = 3 * hidden * config.whole("intermediate_size");
    return {dense, dense};
  }
  const double experts = config.whole(key);
  const double width =
      config.has("moe_intermediate_size") ? config.whole("moe_intermediate_size") : config.whole("intermediate_size");
  const double expert = 3 * hidden * width, router = hidden * experts;
  return {router + experts * expert, router + config.whole("num_experts_per_tok") * expert};
}

}  // namespace

std::span<const ModelShape> model_shapes() { return shapes(); }

const ModelShape& find_model_shape(std::string_view name) {
  const auto& all = shapes();
  const auto found = std::find_if(all.begin(), all.end(), [&](const ModelShape& shape) { return shape.name == name; });
  if (found != all.end()) return *found;
  std::vector<std::string> names;
  for (const ModelShape& shape : all) names.push_back(shape.name);
  throw InputError(
      fmt::format("model '{}': is not known, so the cost of its answers is unknown; {}", name,
                  remedy(name, std::span<const std::string>(names), "give the path of its config.json, or one of")));
}

ModelShape read_model_shape(const std::filesystem::path& path) {
  const Config config(path);
  refuse_other_attention(config);
  ModelShape shape;
  shape.name = std::filesystem::absolute(path).parent_path().filename().string();
  shape.source = path.string();
  shape.layers = config.whole("num_hidden_layers");
  shape.hidden = config.whole("hidden_size");
  shape.query_heads = config.whole("num_attention_heads");
  shape.kv_heads = config.whole_or("num_key_value_heads", shape.query_heads);
  shape.head_dim = config.whole_or("head_dim", std::max(1, shape.hidden / shape.query_heads));
  if (shape.query_heads % shape.kv_heads != 0) {
    config.refuse("num_key_value_heads", "does not divide the attention heads", "get the file again");
  }
  const double hidden = shape.hidden;
  const double attention = 2 * hidden * shape.head_dim * (shape.query_heads + shape.kv_heads);
  const MlpSize mlp = mlp_size(config, hidden);
  const double tables = hidden * config.whole("vocab_size") * (config.flag("tie_word_embeddings") ? 1 : 2) + hidden;
  const auto total = [&](double per_mlp) { return tables + shape.layers * (attention + per_mlp + 2 * hidden); };
  shape.params = total(mlp.all);
  shape.active_params = total(mlp.active);
  return shape;
}

ModelShape model_shape(const std::string& word) {
  return word.ends_with(".json") ? read_model_shape(word) : find_model_shape(word);
}

}  // namespace bitlaw
