#include "simulators/task/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/check.h"
#include "core/base/error.h"
#include "core/base/fingerprint.h"
#include "simulators/task/markov.h"
#include "simulators/task/text.h"
#include "simulators/task/tokens.h"

namespace bitlaw {
namespace {

void require(bool condition, const std::string& message) {
  if (!condition) throw InputError("corpus: " + message);
}

void require_files(const CorpusSpec& spec) {
  require(!spec.files.empty(), "files is empty, so there is nothing to train on; name at least one file");
}

void require_synthetic(const CorpusSpec& spec) {
  require(spec.vocabulary >= 2 && spec.vocabulary <= MarkovSource::kMaxVocabulary,
          fmt::format("vocabulary {} of a synthetic source is not between 2 and {}; choose one that is",
                      spec.vocabulary, MarkovSource::kMaxVocabulary));
  require(spec.order >= 1, fmt::format("order {} of a synthetic source is not positive; choose 1 or more", spec.order));
  const double states = std::pow(spec.vocabulary, spec.order);
  require(
      states <= MarkovSource::kMaxStates,
      fmt::format("order {} with vocabulary {} gives {} contexts, more than {}; choose a smaller order or vocabulary",
                  spec.order, spec.vocabulary, states, MarkovSource::kMaxStates));
  require(spec.concentration >= 1.0 / 1024 && spec.concentration <= 1024,
          fmt::format("concentration {} is not between 1/1024 and 1024; choose one that is (0.3 is typical)",
                      spec.concentration));
  require(spec.length >= 2, fmt::format("length {} leaves nothing to split; generate at least 2 symbols", spec.length));
}

/// The last round(n * fraction) tokens, at least one, are held out.
void split(std::vector<std::uint16_t> tokens, double fraction, Corpus& corpus) {
  const auto n = static_cast<std::int64_t>(tokens.size());
  const auto held_out = std::max<std::int64_t>(1, std::llround(static_cast<double>(n) * fraction));
  require(held_out < n,
          fmt::format("{} tokens leave nothing to train on beside the {} held out; give more text", n, held_out));
  const auto border = tokens.end() - held_out;
  corpus.validation.assign(border, tokens.end());
  tokens.erase(border, tokens.end());
  corpus.train = std::move(tokens);
}

std::string fingerprint_of(const std::vector<std::uint16_t>& tokens) {
  return fingerprint({reinterpret_cast<const char*>(tokens.data()), tokens.size() * sizeof(std::uint16_t)});
}

std::vector<std::uint16_t> generate(const CorpusSpec& spec, Corpus& corpus) {
  const MarkovSource source = MarkovSource::random(spec.vocabulary, spec.order, spec.concentration, spec.seed);
  corpus.entropy_rate = source.entropy_rate();
  return source.generate(spec.length, spec.seed);
}

std::vector<std::uint16_t> read(const CorpusSpec& spec, Corpus& corpus) {
  switch (spec.kind) {
    case CorpusSpec::Kind::Text:
      require_files(spec);
      corpus.vocabulary = 256;
      return read_text(spec.files);
    case CorpusSpec::Kind::Tokens:
      require_files(spec);
      require(spec.vocabulary >= 1 && spec.vocabulary <= 65536,
              fmt::format("vocabulary {} of a token file is not between 1 and 65536, what 16 bits hold; choose one "
                          "that is",
                          spec.vocabulary));
      corpus.vocabulary = spec.vocabulary;
      return read_tokens(spec.files, spec.vocabulary);
    case CorpusSpec::Kind::Synthetic:
      require_synthetic(spec);
      corpus.vocabulary = spec.vocabulary;
      return generate(spec, corpus);
  }
  BITLAW_CHECK(false, "corpus kind {}", static_cast<int>(spec.kind));
}

}  // namespace

Corpus load_corpus(const CorpusSpec& spec) {
  require(spec.validation_fraction > 0 && spec.validation_fraction < 1,
          fmt::format("validation_fraction {} is not between 0 and 1, so a part would be empty; 0.05 is typical",
                      spec.validation_fraction));
  Corpus corpus;
  std::vector<std::uint16_t> tokens = read(spec, corpus);
  corpus.fingerprint = fingerprint_of(tokens);
  split(std::move(tokens), spec.validation_fraction, corpus);
  return corpus;
}

}  // namespace bitlaw
