#include "simulators/task/markov.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/base/check.h"
#include "core/random/philox.h"

namespace bitlaw {
namespace {

constexpr std::uint16_t kUrnSlot = 101;       // of RandomStream::slot
constexpr std::uint16_t kSequenceSlot = 102;  // of RandomStream::slot
constexpr std::uint64_t kBall = 1024;         // the mass that one draw adds to the urn; concentration is counted in it

std::size_t state_count(int vocabulary, int order) {
  std::size_t states = 1;
  for (int i = 0; i < order; ++i) states *= static_cast<std::size_t>(vocabulary);
  return states;
}

/// Adds to row [V] the counts of draws from an urn that starts with `concentration` (in 1/kBall) of each symbol and
/// takes each drawn symbol back together with one ball of the same symbol.
void draw_polya(std::uint64_t concentration, const RandomStream& stream, std::size_t draws, std::uint16_t* row,
                std::uint64_t vocabulary) {
  std::array<std::uint16_t, MarkovSource::kTotal> drawn;
  const std::uint64_t prior = vocabulary * concentration;
  for (std::size_t i = 0; i < draws; ++i) {
    const std::uint64_t mass = prior + i * kBall;
    const std::uint64_t pick = random_bits(stream, i) * mass >> 32;
    drawn[i] = pick < prior ? static_cast<std::uint16_t>(pick / concentration) : drawn[(pick - prior) / kBall];
    ++row[drawn[i]];
  }
}

}  // namespace

MarkovSource::MarkovSource(int vocabulary, int order, std::vector<std::uint16_t> weights)
    : vocabulary_(static_cast<std::size_t>(vocabulary)),
      states_(state_count(vocabulary, order)),
      weights_(std::move(weights)) {
  BITLAW_CHECK(weights_.size() == states_ * vocabulary_, "{} weights for [{}, {}]", weights_.size(), states_,
               vocabulary_);
  for (std::size_t s = 0; s < states_; ++s) {
    const auto row = weights_.begin() + static_cast<std::ptrdiff_t>(s * vocabulary_);
    BITLAW_CHECK(std::accumulate(row, row + vocabulary, 0) == kTotal && *std::min_element(row, row + vocabulary) > 0,
                 "weights of state {}", s);
  }
}

MarkovSource MarkovSource::random(int vocabulary, int order, double concentration, std::uint64_t seed) {
  BITLAW_CHECK(vocabulary >= 2 && vocabulary <= kMaxVocabulary, "vocabulary {}", vocabulary);
  const std::size_t states = state_count(vocabulary, order);
  const auto symbols = static_cast<std::size_t>(vocabulary);
  const auto balls = static_cast<std::uint64_t>(std::llround(concentration * static_cast<double>(kBall)));
  BITLAW_CHECK(balls >= 1 && balls <= kBall * kBall, "concentration {}", concentration);
  std::vector<std::uint16_t> weights(states * symbols, 1);
  for (std::size_t s = 0; s < states; ++s) {
    const RandomStream stream{.seed = seed, .step = static_cast<std::uint32_t>(s), .layer = 0, .slot = kUrnSlot};
    draw_polya(balls, stream, kTotal - symbols, weights.data() + s * symbols, symbols);
  }
  return {vocabulary, order, std::move(weights)};
}

double MarkovSource::probability(std::size_t state, std::size_t symbol) const {
  return static_cast<double>(weights_[state * vocabulary_ + symbol]) / kTotal;
}

std::vector<std::uint16_t> MarkovSource::generate(std::int64_t length, std::uint64_t seed) const {
  static_assert(kTotal == 1 << 12);
  const RandomStream stream{.seed = seed, .step = 0, .layer = 0, .slot = kSequenceSlot};
  std::vector<std::uint16_t> symbols(static_cast<std::size_t>(length));
  std::size_t state = 0;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    int rest = static_cast<int>(random_bits(stream, i) >> (32 - 12));  // uniform in [0, kTotal)
    std::size_t symbol = 0;
    while ((rest -= weights_[state * vocabulary_ + symbol]) >= 0) ++symbol;
    symbols[i] = static_cast<std::uint16_t>(symbol);
    state = (state * vocabulary_ + symbol) % states_;
  }
  return symbols;
}

std::vector<double> MarkovSource::stationary() const {
  std::vector<double> pi(states_, 1.0 / static_cast<double>(states_));
  double change = 1.0;
  while (change > 1e-13) {
    std::vector<double> next(states_, 0.0);
    for (std::size_t s = 0; s < states_; ++s) {
      for (std::size_t y = 0; y < vocabulary_; ++y) {
        next[(s * vocabulary_ + y) % states_] += pi[s] * probability(s, y);
      }
    }
    change = 0.0;
    for (std::size_t s = 0; s < states_; ++s) change += std::abs(next[s] - pi[s]);
    pi = std::move(next);
  }
  const double sum = std::accumulate(pi.begin(), pi.end(), 0.0);
  for (double& p : pi) p /= sum;
  return pi;
}

double MarkovSource::entropy_rate() const {
  const std::vector<double> pi = stationary();
  double entropy = 0.0;
  for (std::size_t s = 0; s < states_; ++s) {
    for (std::size_t y = 0; y < vocabulary_; ++y) {
      const double p = probability(s, y);
      entropy -= pi[s] * p * std::log(p);
    }
  }
  return entropy;
}

}  // namespace bitlaw
