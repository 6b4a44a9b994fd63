#include "simulators/task/batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <string_view>
#include <vector>

#include "core/base/check.h"
#include "core/base/error.h"
#include "core/random/philox.h"

namespace bitlaw {
namespace {

constexpr std::uint16_t kBatchSlot = 100;  // of RandomStream::slot

void require_part(const std::vector<std::uint16_t>& part, std::string_view name, int context) {
  if (part.size() > static_cast<std::size_t>(context)) return;
  throw InputError(fmt::format(
      "corpus: the {} part has {} tokens, fewer than one window of context {} + 1, so there is nothing to {}; "
      "give more text, a shorter context or another validation_fraction",
      name, part.size(), context, name == "training" ? "train on" : "evaluate"));
}

/// Row r of inputs and targets becomes the window of `tokens` at `start`.
void copy_window(std::span<const std::uint16_t> tokens, std::uint64_t start, std::int64_t row, int context,
                 std::span<std::uint16_t> inputs, std::span<std::uint16_t> targets) {
  const auto width = static_cast<std::size_t>(context);
  const std::size_t offset = static_cast<std::size_t>(row) * width;
  const std::span<const std::uint16_t> window = tokens.subspan(start, width + 1);
  std::ranges::copy(window.first(width), inputs.begin() + static_cast<std::ptrdiff_t>(offset));
  std::ranges::copy(window.last(width), targets.begin() + static_cast<std::ptrdiff_t>(offset));
}

void check_shapes(std::int64_t rows, int context, std::size_t inputs, std::size_t targets) {
  BITLAW_CHECK(rows >= 0 && context > 0, "rows {}, context {}", rows, context);
  const std::size_t size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(context);
  BITLAW_CHECK(inputs == size && targets == size, "inputs {}, targets {}, against [{}, {}]", inputs, targets, rows,
               context);
}

/// floor(n * u / 2^64) for u of 64 random bits: any value in [0, n) is off uniform by less than n / 2^64, relatively.
std::uint64_t uniform_below(std::uint64_t n, const RandomStream& stream, std::uint64_t first_element) {
  const std::uint64_t high = random_bits(stream, first_element);
  const std::uint64_t bits = high << 32 | random_bits(stream, first_element + 1);
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(bits) * n >> 64);
}

}  // namespace

void require_context(const Corpus& corpus, int context) {
  require_part(corpus.train, "training", context);
  require_part(corpus.validation, "held-out", context);
}

void sample_batch(const Corpus& corpus, std::uint64_t seed, std::int64_t step, int batch, int context,
                  std::span<std::uint16_t> inputs, std::span<std::uint16_t> targets) {
  check_shapes(batch, context, inputs.size(), targets.size());
  BITLAW_CHECK(step >= 0 && step <= std::numeric_limits<std::uint32_t>::max(), "step {}", step);
  require_part(corpus.train, "training", context);
  const RandomStream stream{.seed = seed, .step = static_cast<std::uint32_t>(step), .layer = 0, .slot = kBatchSlot};
  const std::uint64_t starts = corpus.train.size() - static_cast<std::size_t>(context);
  for (int row = 0; row < batch; ++row) {
    const std::uint64_t start = uniform_below(starts, stream, 2 * static_cast<std::uint64_t>(row));
    copy_window(corpus.train, start, row, context, inputs, targets);
  }
}

std::int64_t validation_window_count(const Corpus& corpus, int context) {
  BITLAW_CHECK(context > 0, "context {}", context);
  return corpus.validation.empty() ? 0 : (std::ssize(corpus.validation) - 1) / context;
}

void validation_windows(const Corpus& corpus, std::int64_t first, std::int64_t count, int context,
                        std::span<std::uint16_t> inputs, std::span<std::uint16_t> targets) {
  check_shapes(count, context, inputs.size(), targets.size());
  const std::int64_t all = validation_window_count(corpus, context);
  BITLAW_CHECK(first >= 0 && first + count <= all, "windows {} to {} of {}", first, first + count, all);
  for (std::int64_t row = 0; row < count; ++row) {
    const auto start = static_cast<std::uint64_t>((first + row) * context);
    copy_window(corpus.validation, start, row, context, inputs, targets);
  }
}

}  // namespace bitlaw
