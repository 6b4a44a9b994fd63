#pragma once

#include <cstdint>
#include <span>

#include "simulators/task/corpus.h"

namespace bitlaw {

/// Slot of the random stream (core/random/philox.h) that places training windows.
inline constexpr std::uint16_t kBatchSlot = 100;

/// The training windows of one step: inputs and targets [batch, context], targets one token further. Each row starts
/// anywhere in the training part, as a pure function of (seed, step, row).
void sample_batch(const Corpus& corpus, std::uint64_t seed, std::int64_t step, int batch, int context,
                  std::span<std::uint16_t> inputs, std::span<std::uint16_t> targets);

/// The held-out part from its start, cut into consecutive windows of `context` tokens: the first
/// ceil(eval_tokens / context) of them, or as many as there are.
class ValidationWindows {
 public:
  ValidationWindows(const Corpus& corpus, int context, std::int64_t eval_tokens);

  std::int64_t count() const { return count_; }
  /// Windows first .. first + windows - 1: inputs and targets [windows, context].
  void copy(std::int64_t first, std::int64_t windows, std::span<std::uint16_t> inputs,
            std::span<std::uint16_t> targets) const;

 private:
  const Corpus& corpus_;
  std::int64_t context_;
  std::int64_t count_;
};

}  // namespace bitlaw
