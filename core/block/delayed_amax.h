#pragma once

#include <cstdint>
#include <deque>

namespace bitlaw {

/// When an operand's largest magnitude is looked at, and which of the past ones scale it.
struct DelayedScaling {
  std::int64_t interval = 1;  ///< steps from one sample to the next; the sample is held between them
  int history = 1;            ///< samples of which the largest counts; 1: the newest
  float margin = 1;           ///< what that is multiplied by; TransformerEngine's margin m is 2^m here
  bool uses_current = true;   ///< whether a sample counts in its own step, or only from the next on (a first one does)

  friend bool operator==(const DelayedScaling&, const DelayedScaling&) = default;
};

/// The held largest magnitude of one operand over the steps of training, for quantize_blocks. FP8 recipes of
/// TransformerEngine: interval 1, history 1024, uses_current false. arXiv:2609.02846: interval 50, history 1.
class DelayedAmax {
 public:
  explicit DelayedAmax(const DelayedScaling& scaling);

  /// Whether `step` takes a sample: then `amax` of update() must be that of the operand.
  bool samples(std::int64_t step) const { return samples_.empty() || step % scaling_.interval == 0; }

  /// The largest magnitude to scale with at `step`. Steps go up. A sample that is infinite or NaN is left out; before
  /// any finite one, `amax` itself.
  float update(std::int64_t step, float amax);

 private:
  float held() const;

  DelayedScaling scaling_;
  std::deque<float> samples_;  ///< the newest last
};

}  // namespace bitlaw
