#pragma once

#include <cstdint>
#include <span>

#include "simulators/task/corpus.h"

namespace bitlaw {

/// InputError when the training or the held-out part is too short for one window of context + 1 tokens.
void require_context(const Corpus& corpus, int context);

/// Fills inputs and targets, both [batch, context], with windows of the training part; targets are one token later.
///
/// Row r of step s starts at a uniform position that is a pure function of (seed, s, r): Philox stream
/// {seed, step, layer 0, slot 100}, elements 2r and 2r + 1. InputError as require_context.
void sample_batch(const Corpus& corpus, std::uint64_t seed, std::int64_t step, int batch, int context,
                  std::span<std::uint16_t> inputs, std::span<std::uint16_t> targets);

/// The held-out part cut into windows that follow each other from its start; each target is counted once.
class ValidationWindows {
 public:
  /// As many whole windows of `context` targets as fit into `max_tokens` and into the part, one at least.
  /// The corpus must outlive this. InputError as require_context.
  ValidationWindows(const Corpus& corpus, int context, std::int64_t max_tokens);

  std::int64_t count() const { return count_; }

  /// Fills inputs and targets, both [windows, context], with windows first, first + 1, ...; window i starts at token
  /// i * context.
  void copy(std::int64_t first, std::int64_t windows, std::span<std::uint16_t> inputs,
            std::span<std::uint16_t> targets) const;

 private:
  std::span<const std::uint16_t> tokens_;
  int context_;
  std::int64_t count_;
};

}  // namespace bitlaw
