#include "simulators/task/markov.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <vector>

#include "simulators/task/corpus.h"
#include "tests/simulators/task/input_error.h"
#include "tests/support/long_test.h"

namespace bitlaw {
namespace {

/// Entropy of a coin [nat].
double coin(double p) { return -p * std::log(p) - (1 - p) * std::log(1 - p); }

/// Two states, left with probability a = 1/4 and b = 1/8.
const std::vector<std::uint16_t> kTwoStates{3072, 1024, 512, 3584};

TEST_CASE("markov: two states have the textbook's stationary distribution and entropy rate") {
  // Cover and Thomas, Elements of Information Theory (2nd ed.), Example 4.1.1: pi = (b, a) / (a + b); H = pi . h.
  const MarkovSource source(2, 1, kTwoStates);
  const std::vector<double> pi = source.stationary();
  CHECK(pi[0] == doctest::Approx(1.0 / 3).epsilon(1e-12));
  CHECK(pi[1] == doctest::Approx(2.0 / 3).epsilon(1e-12));
  CHECK(source.entropy_rate() == doctest::Approx(coin(0.25) / 3 + 2 * coin(0.125) / 3).epsilon(1e-12));
}

TEST_CASE("markov: independent uniform symbols have entropy ln V at any order") {
  for (const int order : {1, 2, 3}) {
    const auto rows = static_cast<std::size_t>(std::pow(8, order));
    const MarkovSource source(8, order, std::vector<std::uint16_t>(rows * 8, MarkovSource::kTotal / 8));
    CHECK(source.entropy_rate() == doctest::Approx(std::log(8.0)).epsilon(1e-12));
  }
}

TEST_CASE("markov: at order 2, a chain over the last symbol or over the one before it keeps the entropy of order 1") {
  const double expected = coin(0.25) / 3 + 2 * coin(0.125) / 3;
  const std::vector<std::uint16_t>& w = kTwoStates;
  // States (older, newer) = 00 01 10 11. First by the newer symbol: pi(older, newer) = pi(older) p(newer|older).
  const MarkovSource by_newer(2, 2, {w[0], w[1], w[2], w[3], w[0], w[1], w[2], w[3]});
  CHECK(by_newer.entropy_rate() == doctest::Approx(expected).epsilon(1e-12));
  CHECK(by_newer.stationary()[1] == doctest::Approx(1.0 / 3 * 0.25).epsilon(1e-12));
  CHECK(by_newer.stationary()[3] == doctest::Approx(2.0 / 3 * 0.875).epsilon(1e-12));
  // By the older one, even and odd positions are two independent chains: pi(older, newer) = pi(older) pi(newer).
  const MarkovSource by_older(2, 2, {w[0], w[1], w[0], w[1], w[2], w[3], w[2], w[3]});
  CHECK(by_older.entropy_rate() == doctest::Approx(expected).epsilon(1e-12));
  CHECK(by_older.stationary()[0] == doctest::Approx(1.0 / 9).epsilon(1e-12));
  CHECK(by_older.stationary()[1] == doctest::Approx(2.0 / 9).epsilon(1e-12));
}

TEST_CASE("markov: random rows sum to one, miss no symbol and spread as the Dirichlet-multinomial says") {
  // Counts of n draws with A = V alpha: Var = n p (1 - p) (n + A) / (1 + A), p = 1/V (Mosimann 1962,
  // doi 10.1093/biomet/49.1-2.65). Each state gives one sum over y of squared deviations.
  for (const double alpha : {0.125, 0.5, 4.0}) {
    CAPTURE(alpha);
    constexpr int kV = 16, kStates = 256, kDraws = MarkovSource::kTotal - kV;
    const MarkovSource source = MarkovSource::random(kV, 2, alpha, 11);
    double sum = 0, squares = 0;
    for (std::size_t s = 0; s < kStates; ++s) {
      double total = 0, spread = 0;
      for (std::size_t y = 0; y < kV; ++y) {
        CHECK(source.probability(s, y) > 0);
        total += source.probability(s, y);
        spread += std::pow(source.probability(s, y) * MarkovSource::kTotal - 1 - kDraws / 16.0, 2);
      }
      CHECK(total == 1.0);
      sum += spread;
      squares += spread * spread;
    }
    const double mean = sum / kStates;
    const double error = std::sqrt((squares / kStates - mean * mean) / (kStates - 1));
    const double expected = kV * kDraws * (1.0 / kV) * (1 - 1.0 / kV) * (kDraws + kV * alpha) / (1 + kV * alpha);
    // 5 standard errors: false alarm about 1e-6 (Student's t, 255 degrees of freedom) for another seed.
    CHECK(std::abs(mean - expected) < 5 * error);
  }
}

CorpusSpec synthetic(int vocabulary, int order) {
  CorpusSpec spec;
  spec.kind = CorpusSpec::Kind::Synthetic;
  spec.vocabulary = vocabulary;
  spec.order = order;
  spec.seed = 5;
  return spec;
}

/// All symbols of a corpus in order.
std::vector<std::uint16_t> symbols(const Corpus& corpus) {
  std::vector<std::uint16_t> all = corpus.train;
  all.insert(all.end(), corpus.validation.begin(), corpus.validation.end());
  return all;
}

/// -ln p of each symbol after its `order` predecessors, p being what was counted in the same sample.
std::vector<double> counted_losses(const std::vector<std::uint16_t>& x, std::size_t order) {
  std::map<std::vector<std::uint16_t>, double> contexts, grams;
  const auto gram = [&](std::size_t start, std::size_t length) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(start);
    return std::vector(first, first + static_cast<std::ptrdiff_t>(length));
  };
  std::vector<double> losses(x.size() - order);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    ++contexts[gram(i, order)];
    ++grams[gram(i, order + 1)];
  }
  for (std::size_t i = 0; i < losses.size(); ++i) {
    losses[i] = std::log(contexts[gram(i, order)] / grams[gram(i, order + 1)]);
  }
  return losses;
}

struct Estimate {
  double mean, standard_error;
};

/// The standard error comes from the spread of 64 block means, so dependence between neighbours is counted in.
Estimate block_means(const std::vector<double>& values) {
  const std::size_t length = values.size() / 64;
  double sum = 0, squares = 0;
  for (std::size_t block = 0; block < 64; ++block) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(block * length);
    const double mean = std::accumulate(first, first + static_cast<std::ptrdiff_t>(length), 0.0) / double(length);
    sum += mean;
    squares += mean * mean;
  }
  return {sum / 64, std::sqrt((squares - sum * sum / 64) / 63 / 64)};
}

TEST_CASE("markov: what is counted in a long sample agrees with the entropy rate in closed form" * BITLAW_LONG_TEST) {
  struct Source {
    int vocabulary, order;
  };
  for (const Source& source : {Source{8, 1}, {64, 1}, {8, 2}, {2, 5}}) {
    CAPTURE(source.vocabulary);
    CAPTURE(source.order);
    const Corpus corpus = load_corpus(synthetic(source.vocabulary, source.order));
    const std::vector<std::uint16_t> x = symbols(corpus);
    const Estimate counted = block_means(counted_losses(x, static_cast<std::size_t>(source.order)));
    // Counting fits the sample, so it is low by S (V - 1) / 2n in expectation (Miller 1955), less where rows are rare.
    const double bias =
        std::pow(source.vocabulary, source.order) * (source.vocabulary - 1) / (2 * static_cast<double>(x.size()));
    // 5 standard errors: false alarm about 5e-6 (Student's t, 63 degrees of freedom) for another seed.
    CHECK(counted.mean - 5 * counted.standard_error < corpus.entropy_rate.value());
    CHECK(counted.mean + bias + 5 * counted.standard_error > corpus.entropy_rate.value());
    CHECK(counted.standard_error < 0.005);
  }
}

TEST_CASE("markov: each transition of an order-2 sample has its stated frequency") {
  const int v = 4;
  const MarkovSource source = MarkovSource::random(v, 2, 0.5, 3);
  const std::vector<std::uint16_t> x = source.generate(1 << 18, 4);
  std::vector<double> visits(16), counts(64);
  for (std::size_t i = 2; i < x.size(); ++i) {
    const std::size_t state = x[i - 2] * 4u + x[i - 1];
    ++visits[state];
    ++counts[state * 4 + x[i]];
  }
  for (std::size_t s = 0; s < 16; ++s) {
    for (std::size_t y = 0; y < 4; ++y) {
      const double p = source.probability(s, y);
      const double mean = visits[s] * p;
      if (mean < 100) continue;  // the normal approximation needs counts
      CAPTURE(s);
      CAPTURE(y);
      // 5.5 standard deviations each, 64 in all: false alarm about 64 * 4e-8 for other seeds.
      CHECK(std::abs(counts[s * 4 + y] - mean) < 5.5 * std::sqrt(mean * (1 - p)));
    }
  }
}

TEST_CASE("markov: the same seed gives the same corpus, another seed another source") {
  CorpusSpec spec = synthetic(16, 1);
  spec.length = 5000;
  const Corpus once = load_corpus(spec), twice = load_corpus(spec);
  CHECK(symbols(once) == symbols(twice));
  CHECK(once.entropy_rate == twice.entropy_rate);
  CHECK(once.vocabulary == 16);
  CHECK(once.validation.size() == 250);
  spec.length = 10000;  // a longer sample starts with the shorter one
  const std::vector<std::uint16_t> longer = symbols(load_corpus(spec));
  CHECK(std::equal(once.train.begin(), once.train.end(), longer.begin()));
  spec.seed = 6;
  CHECK(load_corpus(spec).entropy_rate != once.entropy_rate);
}

TEST_CASE("markov: a smaller concentration is more predictable") {
  double last = std::log(32.0);
  for (const double concentration : {64.0, 1.0, 0.3, 0.05, 0.01}) {
    const double entropy = MarkovSource::random(32, 1, concentration, 1).entropy_rate();
    CHECK(entropy < last);
    last = entropy;
  }
}

TEST_CASE("markov: a source out of range is refused with the range") {
  CorpusSpec spec = synthetic(1, 1);
  CHECK(refusal(spec) == "corpus: vocabulary 1 of a synthetic source is not between 2 and 1024; choose one that is");
  spec = synthetic(256, 2);
  CHECK(refusal(spec) ==
        "corpus: order 2 with vocabulary 256 gives 65536 contexts, more than 4096; choose a smaller "
        "order or vocabulary");
  spec = synthetic(256, 0);
  CHECK(refusal(spec) == "corpus: order 0 of a synthetic source is not positive; choose 1 or more");
  spec = synthetic(256, 1);
  spec.concentration = 0;
  CHECK(refusal(spec) == "corpus: concentration 0 is not between 1/1024 and 1024; choose one that is (0.3 is typical)");
  spec = synthetic(256, 1);
  spec.length = 1;
  CHECK(refusal(spec) == "corpus: length 1 leaves nothing to split; generate at least 2 symbols");
}

}  // namespace
}  // namespace bitlaw
