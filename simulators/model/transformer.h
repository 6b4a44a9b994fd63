#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/random/philox.h"
#include "core/tensor/matrix.h"
#include "simulators/model/learned_scales.h"
#include "simulators/model/model_config.h"
#include "simulators/model/parameters.h"
#include "simulators/nn/attention.h"
#include "simulators/nn/rotary.h"
#include "simulators/quantized/layer_plan.h"
#include "simulators/quantized/quantized_linear.h"

namespace bitlaw {

/// A decoder-only transformer (Vaswani et al. 2017; Touvron et al. 2023, arXiv:2302.13971), forward and backward.
///
///   x = embedding[token]
///   per block:  x += W_out attention(rope(W_qkv norm(x))),  x += W_down swiglu(W_gate_up norm(x))
///   logits = W_head norm(x)
///
/// With a separator, a sequence is a row of documents, each of which attention sees by itself; positions are relative,
/// so a document does not know where in the sequence it lies.
///
/// The four linear layers of a block, attention's products and the head round as the plan says. B, T and the rest
/// are as in AttentionShape; V is the vocabulary. All activations of a forward pass are kept for the backward pass.
template <typename T>
class Transformer {
 public:
  /// `plan` is for transformer_shapes().
  Transformer(const ModelConfig& config, int vocabulary, LayerPlan plan, std::uint64_t seed);

  /// Mean loss [nat/token] of predicting targets from inputs, both [B T] with B = inputs.size() / T.
  /// `step` selects the random bits of stochastic rounding and rotations.
  double forward(std::span<const std::uint16_t> inputs, std::span<const std::uint16_t> targets, std::uint32_t step);

  /// parameters().gradients() <- loss_scale d loss / d values of the last forward pass. Call once for each forward
  /// pass.
  void backward(T loss_scale = 1);

  /// From now on `observer` is told what the products round; null: no one.
  void observe(LinearObserver* observer) { scratch_.observer = attention_scratch_.operands.observer = observer; }

  ParameterSet<T>& parameters() { return parameters_; }
  const ParameterSet<T>& parameters() const { return parameters_; }

 private:
  /// Weights of one block as indices into parameters_.
  struct Block {
    std::size_t attention_norm, qkv, attention_out, mlp_norm, gate_up, down;
  };
  struct Activations {
    Matrix<T> x, normed, qkv, p, mixed;        ///< attention half: [BT, C], [BT, C], [BT, (H+2G)D], [BHT, T], [BT, HD]
    Matrix<T> middle, mlp_normed, gate_up, h;  ///< MLP half: [BT, C], [BT, C], [BT, 2F], [BT, F]
    std::vector<T> attention_rms, mlp_rms;     ///< inverse, [BT]
  };

  void resize(std::int64_t tokens);
  /// Where the document of each token begins.
  void find_documents();
  MatrixView<T> weight(std::size_t index) { return parameters_.weight(index); }
  MatrixView<T> gradient(std::size_t index) { return parameters_.gradient(index); }
  /// The random bits of a product, an index into transformer_shapes(), in the current step.
  RandomStream stream(std::size_t product) const;
  std::size_t head_product() const;
  AttentionRounding attention_rounding(std::size_t block) const;
  /// Hands what belongs to a product's weights to it.
  void bind(std::size_t product, std::size_t weight_index);
  /// y = x W^T of a product, and its gradients.
  void linear(std::size_t product, ConstMatrixView<T> x, std::size_t weight_index, MatrixView<T> y);
  void linear_backward(std::size_t product, ConstMatrixView<T> x, std::size_t weight_index, ConstMatrixView<T> dy,
                       MatrixView<T> dx);
  void block_forward(std::size_t index, MatrixView<T> next);
  void block_backward(std::size_t index);

  ModelConfig config_;
  LayerPlan plan_;
  std::uint64_t seed_;
  int vocabulary_;
  Rotary<T> rotary_;
  ParameterSet<T> parameters_;
  std::size_t embedding_, final_norm_, head_;
  std::vector<Block> blocks_;

  // The last forward pass.
  std::uint32_t step_ = 0;
  AttentionShape shape_{};
  std::vector<std::uint16_t> inputs_, targets_;
  std::vector<std::int32_t> starts_;  ///< [BT], positions in the sequence; empty without a separator
  std::vector<Activations> activations_;
  Matrix<T> final_x_, final_normed_, logits_;
  std::vector<T> final_rms_;

  // Scratch of the backward pass: dx is the gradient of the residual stream.
  Matrix<T> dx_, dnormed_, dwide_, dhidden_, dmixed_;
  LearnedScales<T> learned_;
  LinearScratch<T> scratch_;
  AttentionScratch<T> attention_scratch_;
};

}  // namespace bitlaw
