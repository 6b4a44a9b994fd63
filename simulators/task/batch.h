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

/// How many whole windows the held-out part has: floor((tokens - 1) / context), for the last target needs a token.
std::int64_t validation_window_count(const Corpus& corpus, int context);

/// Fills inputs and targets, both [count, context], with windows first, first + 1, ... of the held-out part. Window i
/// starts at token i * context: windows follow each other from the start and each target is counted once.
void validation_windows(const Corpus& corpus, std::int64_t first, std::int64_t count, int context,
                        std::span<std::uint16_t> inputs, std::span<std::uint16_t> targets);

}  // namespace bitlaw
