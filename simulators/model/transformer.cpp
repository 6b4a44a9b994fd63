#include "simulators/model/transformer.h"

#include <algorithm>
#include <cmath>

#include "simulators/nn/cross_entropy.h"
#include "simulators/nn/embedding.h"
#include "simulators/nn/rms_norm.h"
#include "simulators/nn/swiglu.h"

namespace bitlaw {
namespace {

// Order of transformer_shapes(): four linear layers a block, then attention's two products a block, then the head.
constexpr std::size_t kLinearsPerBlock = 4, kAttentionPerBlock = 2;

template <typename T>
void add_to(MatrixView<T> x, ConstMatrixView<T> y) {
  for (std::int64_t i = 0; i < x.size(); ++i) x.data[i] += y.data[i];
}

}  // namespace

template <typename T>
Transformer<T>::Transformer(const ModelConfig& config, int vocabulary, LayerPlan plan, std::uint64_t seed)
    : config_(config),
      plan_(std::move(plan)),
      seed_(seed),
      vocabulary_(vocabulary),
      rotary_(config.context, config.head_width(), config.rope_base) {
  const std::int64_t c = config.width, d = config.head_width(), f = config.ffn_width();
  const auto fan_in = [](std::int64_t features) { return 1.0 / std::sqrt(static_cast<double>(features)); };
  // Projections back into the residual stream start smaller, so that its variance does not grow with depth
  // (Radford et al. 2019, §2.3).
  const double residual = fan_in(2 * config.layers);
  // A tied embedding starts with logits of variance 1; the residual stream's scale is the norms' business.
  embedding_ = parameters_.add("embedding", vocabulary, c, config.tied_head ? fan_in(c) : 1.0);
  for (int l = 0; l < config.layers; ++l) {
    const std::string block = "block" + std::to_string(l);
    Block b{};
    b.attention_norm = parameters_.add(block + ".attention.norm", 1, c, 0);
    b.qkv = parameters_.add(block + ".attention.qkv", (config.heads + 2 * config.kv_heads) * d, c, fan_in(c));
    b.attention_out = parameters_.add(block + ".attention.out", c, config.heads * d, residual * fan_in(c));
    b.mlp_norm = parameters_.add(block + ".mlp.norm", 1, c, 0);
    b.gate_up = parameters_.add(block + ".mlp.gate_up", 2 * f, c, fan_in(c));
    b.down = parameters_.add(block + ".mlp.down", c, f, residual * fan_in(f));
    blocks_.push_back(b);
  }
  final_norm_ = parameters_.add("norm", 1, c, 0);
  head_ = config.tied_head ? embedding_ : parameters_.add("head", vocabulary, c, 1.0 / static_cast<double>(c));
  const std::vector<LinearShape> shapes = transformer_shapes(config, vocabulary, config.context);
  learned_ = LearnedScales<T>(plan_, shapes, parameters_);
  parameters_.delayed() = DelayedScales(shapes);
  parameters_.initialise(seed);
  activations_.resize(blocks_.size());
}

template <typename T>
void Transformer<T>::resize(std::int64_t tokens) {
  const std::int64_t c = config_.width, f = config_.ffn_width();
  const std::int64_t sequences = tokens / config_.context;
  BITLAW_CHECK(sequences * config_.context == tokens, "{} tokens in sequences of {}", tokens, config_.context);
  shape_ = {sequences, config_.context, config_.heads, config_.kv_heads, config_.head_width(), starts_};
  for (Activations& a : activations_) {
    for (Matrix<T>* m : {&a.x, &a.normed, &a.middle, &a.mlp_normed}) m->resize(tokens, c);
    a.qkv.resize(tokens, shape_.qkv_columns());
    a.p.resize(sequences * shape_.heads * shape_.context, shape_.context);
    a.mixed.resize(tokens, shape_.query_columns());
    a.gate_up.resize(tokens, 2 * f);
    a.h.resize(tokens, f);
    a.attention_rms.resize(static_cast<std::size_t>(tokens));
    a.mlp_rms.resize(static_cast<std::size_t>(tokens));
  }
  final_x_.resize(tokens, c);
  final_normed_.resize(tokens, c);
  final_rms_.resize(static_cast<std::size_t>(tokens));
  logits_.resize(tokens, vocabulary_);
}

template <typename T>
void Transformer<T>::find_documents() {
  starts_.clear();
  if (config_.separator < 0) return;
  const auto context = static_cast<std::size_t>(config_.context);
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const std::size_t position = i % context;
    const bool begins = position == 0 || inputs_[i - 1] == config_.separator;
    starts_.push_back(begins ? static_cast<std::int32_t>(position) : starts_.back());
  }
}

template <typename T>
RandomStream Transformer<T>::stream(std::size_t product) const {
  return {.seed = seed_, .step = step_, .layer = static_cast<std::uint16_t>(product)};
}

template <typename T>
std::size_t Transformer<T>::head_product() const {
  return (kLinearsPerBlock + kAttentionPerBlock) * blocks_.size();
}

template <typename T>
AttentionRounding Transformer<T>::attention_rounding(std::size_t block) const {
  const std::size_t scores = kLinearsPerBlock * blocks_.size() + kAttentionPerBlock * block, mixing = scores + 1;
  return {plan_.slots(scores, step_), plan_.slots(mixing, step_), stream(scores), stream(mixing)};
}

template <typename T>
void Transformer<T>::bind(std::size_t product, std::size_t weight_index) {
  scratch_.mean = parameters_.mean(weight_index);
  scratch_.amax = &parameters_.delayed().of(product);
  learned_.bind(product, parameters_, scratch_);
}

template <typename T>
void Transformer<T>::linear(std::size_t product, ConstMatrixView<T> x, std::size_t weight_index, MatrixView<T> y) {
  bind(product, weight_index);
  quantized_linear_forward<T>(plan_.slots(product, step_), stream(product), x, weight(weight_index), y, scratch_);
}

template <typename T>
void Transformer<T>::linear_backward(std::size_t product, ConstMatrixView<T> x, std::size_t weight_index,
                                     ConstMatrixView<T> dy, MatrixView<T> dx) {
  bind(product, weight_index);
  quantized_linear_backward<T>(plan_.slots(product, step_), stream(product), x, weight(weight_index), dy, dx,
                               gradient(weight_index), scratch_);
}

template <typename T>
double Transformer<T>::forward(std::span<const std::uint16_t> inputs, std::span<const std::uint16_t> targets,
                               std::uint32_t step) {
  BITLAW_CHECK(inputs.size() == targets.size(), "{} inputs, {} targets", inputs.size(), targets.size());
  step_ = step;
  inputs_.assign(inputs.begin(), inputs.end());
  targets_.assign(targets.begin(), targets.end());
  find_documents();
  resize(static_cast<std::int64_t>(inputs.size()));
  const auto input_of = [this](std::size_t block) {
    return block < blocks_.size() ? activations_[block].x.view() : final_x_.view();
  };
  embedding_forward<T>(weight(embedding_), inputs_, input_of(0));
  for (std::size_t b = 0; b < blocks_.size(); ++b) block_forward(b, input_of(b + 1));
  rms_norm_forward<T>(final_x_.view(), weight(final_norm_).data, final_normed_.view(), final_rms_.data());
  linear(head_product(), final_normed_.view(), head_, logits_.view());
  return cross_entropy_forward<T>(logits_.view(), targets_) / static_cast<double>(targets_.size());
}

template <typename T>
void Transformer<T>::block_forward(std::size_t index, MatrixView<T> next) {
  const Block& w = blocks_[index];
  const std::size_t first = kLinearsPerBlock * index;
  Activations& a = activations_[index];
  rms_norm_forward<T>(a.x.view(), weight(w.attention_norm).data, a.normed.view(), a.attention_rms.data());
  linear(first + 0, a.normed.view(), w.qkv, a.qkv.view());
  rotary_.forward(a.qkv.view().columns(0, (shape_.heads + shape_.kv_heads) * shape_.head_width));
  attention_forward<T>(shape_, attention_rounding(index), a.qkv.view(), a.p.view(), a.mixed.view(), attention_scratch_);
  linear(first + 1, a.mixed.view(), w.attention_out, a.middle.view());
  add_to<T>(a.middle.view(), a.x.view());

  rms_norm_forward<T>(a.middle.view(), weight(w.mlp_norm).data, a.mlp_normed.view(), a.mlp_rms.data());
  linear(first + 2, a.mlp_normed.view(), w.gate_up, a.gate_up.view());
  swiglu_forward<T>(a.gate_up.view(), a.h.view());
  linear(first + 3, a.h.view(), w.down, next);
  add_to<T>(next, a.middle.view());
}

template <typename T>
void Transformer<T>::backward(T loss_scale) {
  const auto tokens = static_cast<std::int64_t>(inputs_.size());
  std::fill(parameters_.gradients().begin(), parameters_.gradients().end(), T(0));
  dx_.resize(tokens, config_.width);
  dnormed_.resize(tokens, config_.width);
  std::fill_n(dx_.data(), dx_.size(), T(0));

  cross_entropy_backward<T>(logits_.view(), targets_, loss_scale / static_cast<T>(tokens));
  linear_backward(head_product(), final_normed_.view(), head_, logits_.view(), dnormed_.view());
  rms_norm_backward<T>(final_x_.view(), weight(final_norm_).data, final_rms_.data(), dnormed_.view(), dx_.view(),
                       gradient(final_norm_).data);
  for (std::size_t b = blocks_.size(); b-- > 0;) block_backward(b);
  embedding_backward<T>(inputs_, dx_.view(), gradient(embedding_));
}

/// dx_ enters as the gradient of the block's output and leaves as that of its input.
template <typename T>
void Transformer<T>::block_backward(std::size_t index) {
  const Block& w = blocks_[index];
  const std::size_t first = kLinearsPerBlock * index;
  Activations& a = activations_[index];
  const std::int64_t tokens = dx_.rows();
  dhidden_.resize(tokens, config_.ffn_width());
  dwide_.resize(tokens, 2 * config_.ffn_width());
  linear_backward(first + 3, a.h.view(), w.down, dx_.view(), dhidden_.view());
  swiglu_backward<T>(a.gate_up.view(), dhidden_.view(), dwide_.view());
  linear_backward(first + 2, a.mlp_normed.view(), w.gate_up, dwide_.view(), dnormed_.view());
  rms_norm_backward<T>(a.middle.view(), weight(w.mlp_norm).data, a.mlp_rms.data(), dnormed_.view(), dx_.view(),
                       gradient(w.mlp_norm).data);

  dmixed_.resize(tokens, shape_.query_columns());
  dwide_.resize(tokens, shape_.qkv_columns());
  linear_backward(first + 1, a.mixed.view(), w.attention_out, dx_.view(), dmixed_.view());
  attention_backward<T>(shape_, attention_rounding(index), a.qkv.view(), a.p.view(), dmixed_.view(), dwide_.view(),
                        attention_scratch_);
  rotary_.backward(dwide_.view().columns(0, (shape_.heads + shape_.kv_heads) * shape_.head_width));
  linear_backward(first + 0, a.normed.view(), w.qkv, dwide_.view(), dnormed_.view());
  rms_norm_backward<T>(a.x.view(), weight(w.attention_norm).data, a.attention_rms.data(), dnormed_.view(), dx_.view(),
                       gradient(w.attention_norm).data);
}

template class Transformer<float>;
template class Transformer<double>;

}  // namespace bitlaw
