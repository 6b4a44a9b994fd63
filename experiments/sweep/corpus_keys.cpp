#include <fmt/format.h>
#include <fmt/ranges.h>

#include "experiments/sweep/key_rows.h"

namespace bitlaw {
namespace {

using Kind = CorpusSpec::Kind;

bool synthetic(const TrainConfig& c) { return c.corpus.kind == Kind::Synthetic; }
bool has_files(const TrainConfig& c) { return c.corpus.kind != Kind::Synthetic; }
bool has_vocabulary(const TrainConfig& c) { return c.corpus.kind != Kind::Text; }

ConfigKey corpus_files() {
  ConfigKey key{"corpus.files", ConfigKey::Type::Text, {}, {}, has_files};
  key.get = [](const TrainConfig& c) { return ConfigValue(fmt::format("[{}]", fmt::join(c.corpus.files, ", "))); };
  key.set = [](TrainConfig& c, const YamlNode& node) {
    c.corpus.files.clear();
    if (node.kind == YamlNode::Kind::Scalar) {
      c.corpus.files.push_back(node.text);
    } else {
      for (const YamlNode& file : list_in(node, "corpus.files")) {
        c.corpus.files.push_back(text_in(file, "a file of corpus.files"));
      }
    }
  };
  return key;
}

}  // namespace

std::vector<ConfigKey> corpus_keys() {
  return {
      choice<Kind>("corpus.kind", {{"text", Kind::Text}, {"tokens", Kind::Tokens}, {"synthetic", Kind::Synthetic}},
                   BITLAW_MEMBER(corpus.kind)),
      corpus_files(),
      real("corpus.validation_fraction", 1e-9, 1 - 1e-9, BITLAW_MEMBER(corpus.validation_fraction)),
      integer("corpus.vocabulary", 2, 65536, BITLAW_MEMBER(corpus.vocabulary), has_vocabulary),
      integer("corpus.order", 1, 16, BITLAW_MEMBER(corpus.order), synthetic),
      real("corpus.concentration", 1.0 / 1024, 1024, BITLAW_MEMBER(corpus.concentration), synthetic),
      integer("corpus.length", 2, 1'000'000'000, BITLAW_MEMBER(corpus.length), synthetic),
      integer("corpus.seed", 0, kMaxSeed, BITLAW_MEMBER(corpus.seed), synthetic),
  };
}

}  // namespace bitlaw
