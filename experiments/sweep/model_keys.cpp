#include "experiments/sweep/key_rows.h"

namespace bitlaw {
namespace {

constexpr auto has_transformer = task_is<TaskKind::LanguageModel>;
bool ties_head(const TrainConfig& c) { return has_transformer(c) && c.model.tied_head; }
bool has_documents(const TrainConfig& c) { return has_transformer(c) && c.model.separator >= 0; }
bool has_layers(const TrainConfig& c) { return c.task != TaskKind::Regression; }

}  // namespace

std::vector<ConfigKey> model_keys() {
  return {
      integer("model.layers", 1, 1000, BITLAW_MEMBER(model.layers), has_layers),
      integer("model.width", 2, kMaxInt, BITLAW_MEMBER(model.width)),
      integer("model.heads", 1, kMaxInt, BITLAW_MEMBER(model.heads), has_transformer),
      integer("model.kv_heads", 0, kMaxInt, BITLAW_MEMBER(model.kv_heads), has_transformer),
      integer("model.ffn", 0, kMaxInt, BITLAW_MEMBER(model.ffn), has_transformer),
      integer("model.context", 1, kMaxInt, BITLAW_MEMBER(model.context), has_transformer),
      choice<bool>("model.tied_head", {{"true", true}, {"false", false}}, BITLAW_MEMBER(model.tied_head), ties_head),
      integer("model.separator", -1, 65535, BITLAW_MEMBER(model.separator), has_documents),
      real("model.rope_base", 1, 1e12, BITLAW_MEMBER(model.rope_base), has_transformer),
  };
}

}  // namespace bitlaw
