#include "experiments/sweep/key_rows.h"

namespace bitlaw {

std::vector<ConfigKey> model_keys() {
  return {
      integer("model.layers", 1, 1000, BITLAW_MEMBER(model.layers)),
      integer("model.width", 2, kMaxInt, BITLAW_MEMBER(model.width)),
      integer("model.heads", 1, kMaxInt, BITLAW_MEMBER(model.heads)),
      integer("model.kv_heads", 0, kMaxInt, BITLAW_MEMBER(model.kv_heads)),
      integer("model.ffn", 0, kMaxInt, BITLAW_MEMBER(model.ffn)),
      integer("model.context", 1, kMaxInt, BITLAW_MEMBER(model.context)),
      real("model.rope_base", 1, 1e12, BITLAW_MEMBER(model.rope_base)),
  };
}

}  // namespace bitlaw
