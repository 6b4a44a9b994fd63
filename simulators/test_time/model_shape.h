#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace bitlaw {

/// What the cost of answering depends on of a decoder-only transformer with grouped-query attention.
struct ModelShape {
  std::string name;
  double params = 0;         ///< P, all of them, embeddings too
  double active_params = 0;  ///< those that one token goes through: fewer for mixtures of experts
  int layers = 0;
  int hidden = 0;
  int query_heads = 0;
  int kv_heads = 0;
  int head_dim = 0;
  std::string source;

  /// D, numbers in the KV cache for one token: keys and values of all layers.
  double kv_elements() const { return 2.0 * kv_heads * head_dim * layers; }
  /// r, query heads that share a key-value head.
  double group_ratio() const { return static_cast<double>(query_heads) / kv_heads; }
};

/// The built-in shapes: Qwen3 from 0.6B to 32B, in order of size.
std::span<const ModelShape> model_shapes();

/// The built-in shape of that name; InputError, with the names that exist, where there is none.
const ModelShape& find_model_shape(std::string_view name);

/// A shape from a config.json in the Hugging Face layout, named as the file's folder. Read are hidden_size,
/// num_hidden_layers, num_attention_heads, num_key_value_heads (else as many), head_dim (else hidden_size / heads),
/// intermediate_size, vocab_size, tie_word_embeddings, and for experts num_experts or num_local_experts,
/// num_experts_per_tok and moe_intermediate_size (else intermediate_size).
///
/// Parameters are counted for three matrices in each MLP (gate, up, down), as in Llama, Qwen and Mixtral, without
/// biases; norms of width hidden_size; an embedding and, unless tied, a head. InputError that names file and key for
/// what is missing or no positive whole number, and for attention that the cost model does not know: latent
/// (kv_lora_rank), windowed.
ModelShape read_model_shape(const std::filesystem::path& config);

/// read_model_shape() for a word that ends in .json, else find_model_shape().
ModelShape model_shape(const std::string& word);

}  // namespace bitlaw
