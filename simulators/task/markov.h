#pragma once

#include <cstdint>
#include <vector>

namespace bitlaw {

/// A Markov source: the next of V symbols depends on the `order` symbols before it.
///
/// The state is the last k = order symbols as a number in base V, the oldest digit first; there are S = V^k states, and
/// symbol y leads from s to (s V + y) mod S. Probabilities are whole numbers over kTotal, all positive, so that
/// every state is reached and the sampled tokens are exact: no rounding of any libm can change one.
class MarkovSource {
 public:
  static constexpr int kTotal = 4096;  ///< each row of weights sums to this
  static constexpr int kMaxVocabulary = 1024;
  static constexpr int kMaxStates = 4096;

  /// weights [S, V], rows of positive numbers that sum to kTotal.
  MarkovSource(int vocabulary, int order, std::vector<std::uint16_t> weights);

  /// Rows at random: 1/kTotal for each symbol, the rest shared as the first kTotal - V draws of a Polya urn,
  /// which tend to Dirichlet(concentration, ..., concentration). Blackwell and MacQueen 1973,
  /// doi 10.1214/aos/1176342372. concentration in [1/1024, 1024], used as a multiple of 1/1024. Philox slot 101, step =
  /// state, element = draw.
  static MarkovSource random(int vocabulary, int order, double concentration, std::uint64_t seed);

  /// p(y|s), exact.
  double probability(std::size_t state, std::size_t symbol) const;

  /// `length` symbols from state 0 on. Philox slot 102, element = position.
  std::vector<std::uint16_t> generate(std::int64_t length, std::uint64_t seed) const;

  /// The only pi [S] with pi P = pi and sum 1, by power iteration until a step changes it by less than 1e-13 (L1).
  std::vector<double> stationary() const;

  /// H = -sum_s pi(s) sum_y p(y|s) ln p(y|s) [nat/symbol]: no predictor's expected loss is lower.
  /// Cover and Thomas, Elements of Information Theory (2nd ed.), Theorem 4.2.4.
  double entropy_rate() const;

 private:
  std::size_t vocabulary_;
  std::size_t states_;
  std::vector<std::uint16_t> weights_;
};

}  // namespace bitlaw
