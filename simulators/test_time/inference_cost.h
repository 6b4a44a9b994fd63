#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/base/enum_name.h"
#include "simulators/test_time/attention_kind.h"
#include "simulators/test_time/hardware.h"
#include "simulators/test_time/model_shape.h"

namespace bitlaw {

/// Who pays for reading the weights once per generated token.
enum class WeightReads : std::uint8_t {
  Amortised,   ///< nobody: they are shared by a large batch of other requests (arXiv:2506.05333, Eq. 2 and its code)
  OncePerStep  ///< the task: its trials decode together, and nothing else does (its formula for a single answer)
};

/// How compute and memory make one number.
enum class CostTotal : std::uint8_t {
  Sum,  ///< C + I M: one after the other (Eq. 3)
  Max   ///< max(C, I M): perfectly overlapped (App. A.1)
};

/// Which count of the tokens attended to.
enum class KvCount : std::uint8_t {
  Exact,         ///< the sum over generated tokens of min(budget, context)
  PublishedCode  ///< as the paper's code has it: top-k with +(b - L_in)^2 / 2 in place of -, block top-k with - also
                 ///< where the budget exceeds the whole context, and its search with (2 L_in + L) / block rounded down
};

inline constexpr std::array<EnumName<WeightReads>, 2> kWeightReadsNames{
    {{"amortised", WeightReads::Amortised}, {"once_per_step", WeightReads::OncePerStep}}};
inline constexpr std::array<EnumName<CostTotal>, 2> kCostTotalNames{{{"sum", CostTotal::Sum}, {"max", CostTotal::Max}}};
inline constexpr std::array<EnumName<KvCount>, 2> kKvCountNames{
    {{"exact", KvCount::Exact}, {"published_code", KvCount::PublishedCode}}};

/// Who answers and how: a model, the formats of its weights and of its KV cache, its attention.
struct InferenceSetting {
  ModelShape model;
  Attention attention;
  double weight_bits = 16;  ///< of one weight in memory, storage_bits()
  double kv_bits = 16;      ///< of one number of the cache
};

/// What one answer asks for. One multiply-add counts 2 FLOP. Bytes are those that are read; writing is left out, as is
/// the prompt's own pass, which all strategies share.
struct AnswerCost {
  double compute = 0;       ///< for each trial [FLOP]
  double trial_bytes = 0;   ///< for each trial
  double shared_bytes = 0;  ///< once for all trials of a task: the prompt's cache, and weights where they are read

  AnswerCost& operator+=(const AnswerCost& other);
  AnswerCost operator*(double factor) const;
};

/// The cost of an answer of `generated` tokens to a prompt of `prompt` tokens, exact.
///
/// With L_in = prompt, L = generated, D = kv_elements(), r = group_ratio(), P = active_params, w and k bytes per weight
/// and per number of the cache:
///
///   dense:       compute  2 P L + r D (2 L_in L + L^2);  bytes  k D (L_in L shared + L^2 / 2)  (arXiv:2506.05333, Eq.
///                1 and 2, which are for k = 2: see README.md)
///   top-k:       compute  2 P L + 2 r D K;  bytes  k D K,  K = sum over tokens of min(b, context) =
///                integral of min(b, L_in + t) dt over [0, L]; trials share nothing, their best tokens differ
///   block top-k: the same and the search, one key per block: compute  r D (L_in L + L^2 / 2) / block;  bytes
///                (k D / 2) (L_in L shared + L^2 / 2) / block
///
/// The context of a token counts itself by half, so that the sums are the integrals. WeightReads::OncePerStep adds w P
/// L to the shared bytes.
AnswerCost answer_cost(const InferenceSetting& setting, double prompt, double generated,
                       WeightReads reads = WeightReads::Amortised);

/// The cost of one task.
struct TaskCost {
  double compute = 0;  ///< C [FLOP]
  double bytes = 0;    ///< M, read from memory
};

/// N trials of the answer.
TaskCost task_cost(const AnswerCost& answer, double trials);

/// N trials of an answer of `generated` tokens; KvCount::PublishedCode is for whole numbers.
TaskCost task_cost(const InferenceSetting& setting, double prompt, double generated, double trials,
                   WeightReads reads = WeightReads::Amortised, KvCount count = KvCount::Exact);

/// eFLOPs: C + I M or their maximum [FLOP]. Divided by flops_per_second they are seconds.
double effective_flops(const TaskCost& cost, const Hardware& hardware, CostTotal total = CostTotal::Sum);

/// Phi, what attention costs over what the parameters cost, for each of many trials, which share the prompt's cache so
/// that reading it costs each nothing: [r D (2 L_in + L) + I k D L / 2] / 2 P (arXiv:2506.05333, §3, for k = 2).
double attention_share(const InferenceSetting& setting, double prompt, double generated, const Hardware& hardware);

/// Bytes that a cache of N answers takes when they end: k D (L_in + N L).
double cache_bytes(const InferenceSetting& setting, double prompt, double generated, double trials);

}  // namespace bitlaw
