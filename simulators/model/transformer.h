#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/random/philox.h"
#include "core/tensor/matrix.h"
#include "simulators/model/model_config.h"
#include "simulators/nn/attention.h"
#include "simulators/nn/rotary.h"
#include "simulators/quantized/quantized_linear.h"
#include "simulators/quantized/recipe.h"

namespace bitlaw {

/// Where one weight lies in the flat vector of parameters.
struct Parameter {
  std::string name;  ///< e.g. "block0.attention.qkv"
  std::int64_t first, rows, cols;
  bool decays;       ///< weight decay applies: matrices, not the gains of norms
  double deviation;  ///< standard deviation at initialisation; 0: all ones

  std::int64_t size() const { return rows * cols; }
};

/// A decoder-only transformer (Vaswani et al. 2017; Touvron et al. 2023, arXiv:2302.13971), forward and backward.
///
///   x = embedding[token]
///   per block:  x += W_out attention(rope(W_qkv norm(x))),  x += W_down swiglu(W_gate_up norm(x))
///   logits = W_head norm(x)
///
/// The four linear layers of a block round as the recipe says; embedding and head stay unquantized. B, T and the rest
/// are as in AttentionShape; V is the vocabulary. All activations of a forward pass are kept for the backward pass.
template <typename T>
class Transformer {
 public:
  Transformer(const ModelConfig& config, int vocabulary, const Recipe& recipe, std::uint64_t seed);

  /// Mean loss [nat/token] of predicting targets from inputs, both [B T] with B = inputs.size() / T.
  /// `step` selects the random bits of stochastic rounding and rotations.
  double forward(std::span<const std::uint16_t> inputs, std::span<const std::uint16_t> targets, std::uint32_t step);

  /// gradients() <- d loss / d parameters() of the last forward pass. Call once for each forward pass.
  void backward();

  const std::vector<Parameter>& layout() const { return layout_; }
  std::span<T> parameters() { return parameters_; }
  std::span<const T> parameters() const { return parameters_; }
  std::span<const T> gradients() const { return gradients_; }

 private:
  /// Weights of one block as indices into layout_.
  struct Block {
    std::size_t attention_norm, qkv, attention_out, mlp_norm, gate_up, down;
  };
  struct Activations {
    Matrix<T> x, normed, qkv, p, mixed;        ///< attention half: [BT, C], [BT, C], [BT, (H+2G)D], [BHT, T], [BT, HD]
    Matrix<T> middle, mlp_normed, gate_up, h;  ///< MLP half: [BT, C], [BT, C], [BT, 2F], [BT, F]
    std::vector<T> attention_rms, mlp_rms;     ///< inverse, [BT]
  };

  std::size_t add_parameter(std::string name, std::int64_t rows, std::int64_t cols, double deviation);
  void initialise(std::uint64_t seed);
  void resize(std::int64_t tokens);
  MatrixView<T> weight(std::size_t index);
  MatrixView<T> gradient(std::size_t index);
  /// The stream of linear layer `linear` (0-3) of a block in the current step.
  RandomStream stream(std::size_t block, int linear) const;
  void block_forward(std::size_t index, MatrixView<T> next);
  void block_backward(std::size_t index);

  ModelConfig config_;
  Recipe recipe_;
  std::uint64_t seed_;
  int vocabulary_;
  Rotary<T> rotary_;
  std::vector<Parameter> layout_;
  std::vector<T> parameters_, gradients_;
  std::size_t embedding_, final_norm_, head_;
  std::vector<Block> blocks_;

  // The last forward pass.
  std::uint32_t step_ = 0;
  AttentionShape shape_{};
  std::vector<std::uint16_t> inputs_, targets_;
  std::vector<Activations> activations_;
  Matrix<T> final_x_, final_normed_, logits_;
  std::vector<T> final_rms_;

  // Scratch of the backward pass: dx is the gradient of the residual stream.
  Matrix<T> dx_, dnormed_, dwide_, dhidden_, dmixed_, dp_;
  LinearScratch<T> scratch_;
};

}  // namespace bitlaw
