#include "simulators/task/batch.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "tests/support/message_of.h"

namespace bitlaw {
namespace {

/// Token i has value i, so a window shows where it came from; the held-out part goes on counting.
Corpus counting(std::size_t train, std::size_t validation) {
  Corpus corpus;
  corpus.vocabulary = 65536;
  corpus.train.resize(train);
  corpus.validation.resize(validation);
  std::iota(corpus.train.begin(), corpus.train.end(), std::uint16_t{0});
  std::iota(corpus.validation.begin(), corpus.validation.end(), static_cast<std::uint16_t>(train));
  return corpus;
}

struct Batch {
  std::vector<std::uint16_t> inputs, targets;
};

Batch sample(const Corpus& corpus, std::uint64_t seed, std::int64_t step, int batch, int context) {
  const auto size = static_cast<std::size_t>(batch * context);
  Batch out{std::vector<std::uint16_t>(size), std::vector<std::uint16_t>(size)};
  sample_batch(corpus, seed, step, batch, context, out.inputs, out.targets);
  return out;
}

TEST_CASE("batch: a row is consecutive tokens and its targets are one later") {
  const Batch batch = sample(counting(1000, 10), 1, 0, 8, 16);
  for (std::size_t i = 0; i < batch.inputs.size(); ++i) {
    CHECK(batch.targets[i] == batch.inputs[i] + 1);
    if (i % 16 != 0) CHECK(batch.inputs[i] == batch.inputs[i - 1] + 1);
  }
}

TEST_CASE("batch: rows depend on seed, step and row alone") {
  const Corpus corpus = counting(60000, 10);
  const Batch batch = sample(corpus, 7, 3, 8, 16);
  CHECK(sample(corpus, 7, 3, 8, 16).inputs == batch.inputs);
  const Batch fewer = sample(corpus, 7, 3, 3, 16);  // the first rows stay when the batch shrinks
  CHECK(std::equal(fewer.inputs.begin(), fewer.inputs.end(), batch.inputs.begin()));
  CHECK(sample(corpus, 8, 3, 8, 16).inputs != batch.inputs);
  CHECK(sample(corpus, 7, 4, 8, 16).inputs != batch.inputs);
}

TEST_CASE("batch: every start is drawn equally often, the first and the last included") {
  // 50 starts, 50,000 draws: chi-squared with 49 degrees of freedom exceeds 120 with probability about 1e-7.
  const int context = 4;
  const Corpus corpus = counting(50 + context, 10);
  std::vector<int> hits(50);
  for (std::int64_t step = 0; step < 500; ++step) {
    const Batch batch = sample(corpus, 2, step, 100, context);
    for (std::size_t row = 0; row < 100; ++row) ++hits.at(batch.inputs[row * context]);
  }
  double chi_squared = 0;
  for (const int hit : hits) chi_squared += std::pow(hit - 1000.0, 2) / 1000;
  CHECK(chi_squared < 120);
  CHECK(chi_squared > 15);  // below it with probability about 1e-6: draws more even than chance would have a pattern
}

TEST_CASE("batch: the shortest corpus for a context has one window") {
  const Batch batch = sample(counting(5, 5), 0, 0, 2, 4);
  CHECK(batch.inputs == std::vector<std::uint16_t>{0, 1, 2, 3, 0, 1, 2, 3});
  CHECK(batch.targets == std::vector<std::uint16_t>{1, 2, 3, 4, 1, 2, 3, 4});
}

TEST_CASE("batch: held-out windows tile the part from its start, each target once") {
  struct Tiling {
    std::size_t tokens;
    std::int64_t windows;
  };
  for (const Tiling& tiling : {Tiling{0, 0}, {4, 0}, {5, 1}, {8, 1}, {9, 2}, {12, 2}, {13, 3}}) {
    CAPTURE(tiling.tokens);
    CHECK(validation_window_count(counting(10, tiling.tokens), 4) == tiling.windows);
  }
  std::vector<std::uint16_t> inputs(8), targets(8);
  validation_windows(counting(100, 13), 1, 2, 4, inputs, targets);
  CHECK(inputs == std::vector<std::uint16_t>{104, 105, 106, 107, 108, 109, 110, 111});
  CHECK(targets == std::vector<std::uint16_t>{105, 106, 107, 108, 109, 110, 111, 112});
}

TEST_CASE("batch: a corpus shorter than a window is refused, naming the part") {
  const std::string short_training =
      "corpus: the training part has 64 tokens, fewer than one window of context 64 + 1, so there is nothing to train "
      "on; give more text, a shorter context or another validation_fraction";
  const std::string short_held_out =
      "corpus: the held-out part has 1 tokens, fewer than one window of context 64 + 1, so there is nothing to "
      "evaluate; give more text, a shorter context or another validation_fraction";
  const Corpus enough = counting(65, 65), no_training = counting(64, 65), no_held_out = counting(65, 1);
  CHECK(message_of([&] { require_context(enough, 64); }) == "no error");
  CHECK(message_of([&] { require_context(no_training, 64); }) == short_training);
  CHECK(message_of([&] { sample(no_training, 0, 0, 1, 64); }) == short_training);
  CHECK(message_of([&] { require_context(no_held_out, 64); }) == short_held_out);
}

}  // namespace
}  // namespace bitlaw
