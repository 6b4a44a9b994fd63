#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/random/philox.h"
#include "core/tensor/matrix.h"
#include "simulators/quantized/delayed_scales.h"

namespace bitlaw {

/// Slot of the random stream that initialises parameters: see "Random numbers" in simulators/README.md.
inline constexpr std::uint16_t kInitialisationSlot = 110;

/// Where one weight lies in the flat vector of parameters.
struct Parameter {
  std::string name;  ///< e.g. "block0.attention.qkv"
  std::int64_t first, rows, cols;
  bool decays;       ///< weight decay applies: matrices, not biases and the gains of norms
  double deviation;  ///< standard deviation at initialisation; 0: all `initial`
  double initial = 1;

  std::int64_t size() const { return rows * cols; }
};

/// The weights of a model and their gradients, each in one flat vector, and what it knows of earlier steps beside them.
template <typename T>
class ParameterSet {
 public:
  /// Appends a parameter [rows, cols] and returns its index. Deviation 0: every value starts as `initial`.
  std::size_t add(std::string name, std::int64_t rows, std::int64_t cols, double deviation, double initial = 1) {
    const std::int64_t first = layout_.empty() ? 0 : layout_.back().first + layout_.back().size();
    layout_.push_back({std::move(name), first, rows, cols, rows > 1, deviation, initial});
    return layout_.size() - 1;
  }

  /// Once all are added: values uniform with each parameter's standard deviation s, on [-s sqrt 3, s sqrt 3), the same
  /// bits with every C library; a function of (seed, index in the flat vector).
  void initialise(std::uint64_t seed) {
    const std::int64_t total = layout_.empty() ? 0 : layout_.back().first + layout_.back().size();
    values_.resize(static_cast<std::size_t>(total));
    gradients_.resize(values_.size());
    const RandomStream stream{.seed = seed, .slot = kInitialisationSlot};
    for (const Parameter& p : layout_) {
      const T width = static_cast<T>(p.deviation * std::sqrt(3.0));
      for (std::int64_t i = p.first; i < p.first + p.size(); ++i) {
        const T u = static_cast<T>(random_uniform(stream, static_cast<std::uint64_t>(i)));
        values_[static_cast<std::size_t>(i)] = p.deviation == 0 ? static_cast<T>(p.initial) : width * (T(2) * u - T(1));
      }
    }
  }

  const std::vector<Parameter>& layout() const { return layout_; }
  std::span<T> values() { return values_; }
  std::span<const T> values() const { return values_; }
  std::span<T> gradients() { return gradients_; }
  std::span<const T> gradients() const { return gradients_; }
  MatrixView<T> weight(std::size_t index) {
    const Parameter& p = layout_[index];
    return {values_.data() + p.first, p.rows, p.cols};
  }
  /// Means of the values over the steps, which someone else keeps while the model is used.
  void set_means(std::span<const T> means) { means_ = means; }
  std::span<const T> means() const { return means_; }
  /// Of one weight; empty where nobody keeps them.
  ConstMatrixView<T> mean(std::size_t index) const {
    if (means_.empty()) return {};
    const Parameter& p = layout_[index];
    return {means_.data() + p.first, p.rows, p.cols};
  }
  /// The sizes of its operands in earlier steps.
  DelayedScales& delayed() { return delayed_; }
  const DelayedScales& delayed() const { return delayed_; }
  MatrixView<T> gradient(std::size_t index) {
    const Parameter& p = layout_[index];
    return {gradients_.data() + p.first, p.rows, p.cols};
  }

 private:
  std::vector<Parameter> layout_;
  std::vector<T> values_, gradients_;
  std::span<const T> means_;
  DelayedScales delayed_;
};

}  // namespace bitlaw
