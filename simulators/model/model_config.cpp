#include "simulators/model/model_config.h"

#include <string>

namespace bitlaw {
namespace {

/// Weights of one block's linear layers: q and output projections, k and v, and SwiGLU's three.
std::int64_t linear_parameters_per_layer(const ModelConfig& model) {
  const std::int64_t width = model.width;
  const std::int64_t kv_width = static_cast<std::int64_t>(model.kv_heads) * model.head_width();
  return 2 * width * width + 2 * width * kv_width + 3 * width * model.ffn_width();
}

}  // namespace

std::int64_t parameter_count(const ModelConfig& model) {
  const std::int64_t norms_per_layer = 2 * model.width;
  return model.layers * (linear_parameters_per_layer(model) + norms_per_layer) + model.width;
}

std::int64_t total_parameter_count(const ModelConfig& model, int vocabulary) {
  const int tables = model.tied_head ? 1 : 2;
  return parameter_count(model) + tables * static_cast<std::int64_t>(vocabulary) * model.width;
}

std::vector<LinearShape> transformer_shapes(const ModelConfig& model, int vocabulary, std::int64_t tokens_per_step) {
  const std::int64_t c = model.width, d = model.head_width(), f = model.ffn_width(), t = model.context;
  std::vector<LinearShape> shapes;
  const auto name = [](int block, const char* product) { return "block" + std::to_string(block) + product; };
  for (int b = 0; b < model.layers; ++b) {
    using enum ProductKind;
    shapes.push_back({name(b, ".attention.qkv"), Linear, tokens_per_step, c, (model.heads + 2 * model.kv_heads) * d});
    shapes.push_back({name(b, ".attention.out"), Linear, tokens_per_step, model.heads * d, c});
    shapes.push_back({name(b, ".mlp.gate_up"), Linear, tokens_per_step, c, 2 * f});
    shapes.push_back({name(b, ".mlp.down"), Linear, tokens_per_step, f, c});
  }
  for (int b = 0; b < model.layers; ++b) {
    shapes.push_back({name(b, ".attention.scores"), ProductKind::Attention, t, d, t});
    shapes.push_back({name(b, ".attention.mixing"), ProductKind::Attention, t, t, d});
  }
  shapes.push_back({"head", ProductKind::Head, tokens_per_step, c, vocabulary});
  return shapes;
}

double forward_flops_per_token(const ModelConfig& model, int vocabulary) {
  const auto width = static_cast<double>(model.width);
  const double attention = 2.0 * 2.0 * model.context * width;  // scores, and their product with the values
  const double linear = 2.0 * static_cast<double>(linear_parameters_per_layer(model));
  return model.layers * (linear + attention) + 2.0 * width * vocabulary;
}

}  // namespace bitlaw
