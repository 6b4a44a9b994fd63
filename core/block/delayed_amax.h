#pragma once

#include <cstdint>
#include <vector>

namespace bitlaw {

/// When an operand's largest magnitude is looked at, and which of the past ones scale it.
struct DelayedScaling {
  std::int64_t interval = 1;  ///< steps from one sample to the next; the sample is held between them
  int history = 1;            ///< samples of which the largest counts; 1: the newest
  float margin = 1;           ///< what that is multiplied by; TransformerEngine's margin m is 2^m here
  bool uses_current = true;   ///< whether a sample counts in its own step, or only from the next on (a first one does)

  friend bool operator==(const DelayedScaling&, const DelayedScaling&) = default;
};

/// The largest magnitudes of one operand over the steps of training, for quantize_blocks. FP8 recipes of
/// TransformerEngine: interval 1, history 1024, uses_current false. arXiv:2609.02846: interval 50, history 1.
///
/// A magnitude that is zero, infinite or NaN says nothing of the next ones and is left out.
class DelayedAmax {
 public:
  /// Whether `step` takes a sample: then `amax` below must be that of the operand.
  bool samples(const DelayedScaling& scaling, std::int64_t step) const;

  /// The largest magnitude to scale with at `step`; before there is any sample, `amax` itself.
  float held(const DelayedScaling& scaling, std::int64_t step, float amax) const;

  /// Takes the sample of `step`, if it takes one. Steps go up.
  void add(const DelayedScaling& scaling, std::int64_t step, float amax);

  const std::vector<float>& history() const { return history_; }
  void restore(std::vector<float> history) { history_ = std::move(history); }

 private:
  std::vector<float> history_;  ///< the newest last
};

}  // namespace bitlaw
