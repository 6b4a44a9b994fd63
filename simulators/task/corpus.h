#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bitlaw {

/// Where training and held-out tokens come from.
struct CorpusSpec {
  enum class Kind : std::uint8_t {
    Text,       ///< the bytes of `files`, one after the other; gzip is unpacked (.dz, .gz); vocabulary 256
    Tokens,     ///< flat little-endian uint16 token files (nanoGPT), or with llm.c's 256-word header (magic 20240520)
    Synthetic,  ///< a seeded Markov source whose entropy rate is known in closed form
  };
  Kind kind = Kind::Text;
  std::vector<std::string> files;     ///< Text, Tokens
  double validation_fraction = 0.05;  ///< of all tokens, rounded, at least one: the last ones are held out
  int vocabulary = 256;               ///< Tokens: size of the vocabulary; Synthetic: number of symbols
  int order = 1;                      ///< Synthetic: symbols that the next one depends on; markov.h says more
  double concentration = 0.3;         ///< Synthetic: of the Dirichlet-like rows; smaller is more predictable
  std::int64_t length = 1 << 20;      ///< Synthetic: symbols generated
  std::uint64_t seed = 0;             ///< Synthetic: of the transition matrix and of the sequence
};

/// Tokens in memory, split by position.
struct Corpus {
  std::vector<std::uint16_t> train;
  std::vector<std::uint16_t> validation;
  int vocabulary = 256;
  std::string fingerprint;             ///< of all tokens in order, as little-endian uint16
  std::optional<double> entropy_rate;  ///< Synthetic: the least loss that any model can reach [nat/token]
};

/// InputError, naming the file and the remedy, when a file is missing, empty or not what the kind says.
Corpus load_corpus(const CorpusSpec& spec);

}  // namespace bitlaw
