#include "experiments/sweep/key_rows.h"

namespace bitlaw {
namespace {

constexpr auto has_transformer = task_is<TaskKind::LanguageModel>;
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
      real("model.rope_base", 1, 1e12, BITLAW_MEMBER(model.rope_base), has_transformer),
  };
}

}  // namespace bitlaw
