#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/tensor/matrix.h"
#include "simulators/nn/convolution.h"

namespace bitlaw {

/// Images of known classes, to train on and held out.
class LabelledSource {
 public:
  virtual ~LabelledSource() = default;

  virtual ImageShape shape() const = 0;
  virtual int classes() const = 0;

  /// x [rows, H W C] and as many labels below classes(), a pure function of (seed, step).
  virtual void draw_training(std::uint64_t seed, std::int64_t step, MatrixView<float> x,
                             std::span<std::uint16_t> labels) const = 0;

  /// The held-out images first, first + 1, ..., which are the same for all runs.
  virtual void draw_held_out(std::int64_t first, MatrixView<float> x, std::span<std::uint16_t> labels) const = 0;
  virtual std::int64_t held_out_count() const = 0;

  /// Of the content; empty where there are no files.
  virtual std::string fingerprint() const { return {}; }
};

}  // namespace bitlaw
