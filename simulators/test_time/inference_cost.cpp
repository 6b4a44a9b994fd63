#include "simulators/test_time/inference_cost.h"

#include <algorithm>
#include <cmath>

namespace bitlaw {
namespace {

constexpr double kBitsPerByte = 8;

/// What a task asks of the cache, in token positions whose keys and values are read and used.
struct KvReads {
  double used = 0;                                 ///< by each trial's products
  double trial = 0, shared = 0;                    ///< read for each trial, for all of them
  double searched_trial = 0, searched_shared = 0;  ///< block keys, of half the size of a position
  double searched() const { return searched_trial + searched_shared; }
};

/// integral of min(budget, prompt + t) dt over [0, generated].
double attended(double budget, double prompt, double generated) {
  const double growing = std::clamp(budget - prompt, 0.0, generated);  // tokens before the context exceeds the budget
  return growing * (prompt + growing / 2) + (generated - growing) * std::min(budget, prompt + generated);
}

KvReads exact_reads(const Attention& attention, double prompt, double generated) {
  const double whole = prompt * generated, half_square = generated * generated / 2;
  KvReads reads;
  if (attention.kind == AttentionKind::Dense) {
    reads.used = whole + half_square;
    reads.shared = whole;
    reads.trial = half_square;
    return reads;
  }
  reads.used = reads.trial = attended(attention.budget(), prompt, generated);
  if (attention.kind == AttentionKind::BlockTopK) {
    reads.searched_shared = whole / attention.block;
    reads.searched_trial = half_square / attention.block;
  }
  return reads;
}

AnswerCost cost_of(const InferenceSetting& setting, const KvReads& reads, double generated, WeightReads weights) {
  const ModelShape& model = setting.model;
  const double position = model.kv_elements() * setting.kv_bits / kBitsPerByte;  // bytes for one token
  AnswerCost cost;
  cost.compute = 2 * model.active_params * generated +
                 model.group_ratio() * model.kv_elements() * (2 * reads.used + reads.searched());
  cost.trial_bytes = position * (reads.trial + reads.searched_trial / 2);
  cost.shared_bytes = position * (reads.shared + reads.searched_shared / 2);
  if (weights == WeightReads::OncePerStep) {
    cost.shared_bytes += model.active_params * generated * setting.weight_bits / kBitsPerByte;
  }
  return cost;
}

/// What the paper's code counts for each trial; the search is rounded for all trials together.
KvReads published_reads(const Attention& attention, double prompt, double generated, double trials) {
  KvReads reads = exact_reads(attention, prompt, generated);
  if (attention.kind == AttentionKind::Dense) return reads;
  const double budget = attention.budget(), over = std::max(0.0, budget - prompt);
  const double sign = attention.kind == AttentionKind::TopK ? 1 : -1;
  reads.used = reads.trial = budget * generated + sign * over * over / 2;
  if (attention.kind == AttentionKind::BlockTopK) {
    reads.searched_shared = 0;
    reads.searched_trial = std::floor((2 * prompt + generated * trials) / attention.block) * generated / 2 / trials;
  }
  return reads;
}

}  // namespace

AnswerCost& AnswerCost::operator+=(const AnswerCost& other) {
  compute += other.compute;
  trial_bytes += other.trial_bytes;
  shared_bytes += other.shared_bytes;
  return *this;
}

AnswerCost AnswerCost::operator*(double factor) const {
  return {compute * factor, trial_bytes * factor, shared_bytes * factor};
}

AnswerCost answer_cost(const InferenceSetting& setting, double prompt, double generated, WeightReads reads) {
  return cost_of(setting, exact_reads(setting.attention, prompt, generated), generated, reads);
}

TaskCost task_cost(const AnswerCost& answer, double trials) {
  return {answer.compute * trials, answer.shared_bytes + answer.trial_bytes * trials};
}

TaskCost task_cost(const InferenceSetting& setting, double prompt, double generated, double trials, WeightReads reads,
                   KvCount count) {
  if (count == KvCount::Exact) return task_cost(answer_cost(setting, prompt, generated, reads), trials);
  const auto read = [&](double n) {
    return cost_of(setting, published_reads(setting.attention, prompt, generated, n), generated, reads);
  };
  return {task_cost(read(1), trials).compute, task_cost(read(trials), trials).bytes};  // each trial searches alone
}

double effective_flops(const TaskCost& cost, const Hardware& hardware, CostTotal total) {
  const double memory = hardware.intensity() * cost.bytes;
  return total == CostTotal::Sum ? cost.compute + memory : std::max(cost.compute, memory);
}

double attention_share(const InferenceSetting& setting, double prompt, double generated, const Hardware& hardware) {
  const AnswerCost answer = answer_cost(setting, prompt, generated);
  const double params = 2 * setting.model.active_params * generated;
  const double attention = answer.compute - params + hardware.intensity() * answer.trial_bytes;
  return attention / params;
}

double cache_bytes(const InferenceSetting& setting, double prompt, double generated, double trials) {
  return setting.model.kv_elements() * setting.kv_bits / kBitsPerByte * (prompt + generated * trials);
}

}  // namespace bitlaw
