#include "experiments/sweep/key_rows.h"

namespace bitlaw {
namespace {

using ScheduleKind = ScheduleConfig::Kind;

bool decays(const TrainConfig& c) { return c.schedule.kind != ScheduleKind::Constant; }
bool has_decay(const TrainConfig& c) { return c.schedule.kind == ScheduleKind::Wsd; }

}  // namespace

std::vector<ConfigKey> training_keys() {
  return {
      integer("training.tokens", 1, kMaxCount, BITLAW_MEMBER(tokens)),
      integer("training.batch", 1, kMaxInt, BITLAW_MEMBER(batch)),
      integer("training.eval_tokens", 1, kMaxCount, BITLAW_MEMBER(eval_tokens)),
      integer("training.seed", 0, kMaxSeed, BITLAW_MEMBER(seed)),
      real("training.optimizer.learning_rate", 0, 1e6, BITLAW_MEMBER(optimizer.learning_rate)),
      real("training.optimizer.beta1", 0, 1 - 1e-9, BITLAW_MEMBER(optimizer.beta1)),
      real("training.optimizer.beta2", 0, 1 - 1e-9, BITLAW_MEMBER(optimizer.beta2)),
      real("training.optimizer.epsilon", 0, 1, BITLAW_MEMBER(optimizer.epsilon)),
      real("training.optimizer.weight_decay", 0, 1e6, BITLAW_MEMBER(optimizer.weight_decay)),
      real("training.optimizer.clip", 0, 1e30, BITLAW_MEMBER(optimizer.clip)),
      choice<ScheduleKind>("training.schedule.kind",
                           {{"constant", ScheduleKind::Constant},
                            {"cosine", ScheduleKind::Cosine},
                            {"linear", ScheduleKind::Linear},
                            {"wsd", ScheduleKind::Wsd}},
                           BITLAW_MEMBER(schedule.kind)),
      real("training.schedule.warmup", 0, 1, BITLAW_MEMBER(schedule.warmup)),
      real("training.schedule.decay", 0, 1, BITLAW_MEMBER(schedule.decay), has_decay),
      real("training.schedule.final", 0, 1, BITLAW_MEMBER(schedule.final), decays),
  };
}

}  // namespace bitlaw
