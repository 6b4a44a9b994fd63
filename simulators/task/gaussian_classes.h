#pragma once

#include "core/random/philox.h"
#include "simulators/task/labelled_source.h"

namespace bitlaw {

/// Classes that are equally likely and normal, x = m_k + z with z of unit variance in each pixel, around means that are
/// `separation` apart: orthogonal patterns, m_k[p] = separation / sqrt(2) side^-1 (-1)^(bits that p and k + 1 share)
/// (Walsh functions), on square images of one channel. Every image is fresh, so nothing can be learned by heart.
class GaussianClasses : public LabelledSource {
 public:
  /// `side` is a power of two and `classes` < side^2.
  GaussianClasses(int side, int classes, double separation);

  ImageShape shape() const override { return {side_, side_, 1}; }
  int classes() const override { return classes_; }
  void draw_training(std::uint64_t seed, std::int64_t step, MatrixView<float> x,
                     std::span<std::uint16_t> labels) const override;
  /// Those that start at one `first` do not depend on those that start at another.
  void draw_held_out(std::int64_t first, MatrixView<float> x, std::span<std::uint16_t> labels) const override;
  std::int64_t held_out_count() const override;

 private:
  void draw(const RandomStream& pixels, const RandomStream& classes, MatrixView<float> x,
            std::span<std::uint16_t> labels) const;

  int side_, classes_;
  float height_;  ///< |m_k[p]|
};

/// The error that no classifier beats, 1 - int phi(t) Phi(t + a)^(K - 1) dt with a = separation / sqrt(2): an image
/// belongs to the mean that it projects on most. Two classes: Phi(-separation / 2).
double bayes_error(int classes, double separation);

}  // namespace bitlaw
