#include "experiments/sweep/key_rows.h"

namespace bitlaw {
namespace {

using Kind = CorpusSpec::Kind;

constexpr auto trains_language = task_is<TaskKind::LanguageModel>;
bool synthetic(const TrainConfig& c) { return trains_language(c) && c.corpus.kind == Kind::Synthetic; }
bool has_files(const TrainConfig& c) { return trains_language(c) && c.corpus.kind != Kind::Synthetic; }
bool has_vocabulary(const TrainConfig& c) { return trains_language(c) && c.corpus.kind != Kind::Text; }

}  // namespace

std::vector<ConfigKey> corpus_keys() {
  return {
      choice<Kind>("corpus.kind", {{"text", Kind::Text}, {"tokens", Kind::Tokens}, {"synthetic", Kind::Synthetic}},
                   BITLAW_MEMBER(corpus.kind), trains_language),
      files("corpus.files", BITLAW_MEMBER(corpus.files), has_files),
      real("corpus.validation_fraction", 1e-9, 1 - 1e-9, BITLAW_MEMBER(corpus.validation_fraction), trains_language),
      integer("corpus.vocabulary", 2, 65536, BITLAW_MEMBER(corpus.vocabulary), has_vocabulary),
      integer("corpus.order", 1, 16, BITLAW_MEMBER(corpus.order), synthetic),
      real("corpus.concentration", 1.0 / 1024, 1024, BITLAW_MEMBER(corpus.concentration), synthetic),
      integer("corpus.length", 2, 1'000'000'000, BITLAW_MEMBER(corpus.length), synthetic),
      integer("corpus.seed", 0, kMaxSeed, BITLAW_MEMBER(corpus.seed), synthetic),
  };
}

}  // namespace bitlaw
