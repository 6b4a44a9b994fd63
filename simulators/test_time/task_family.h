#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "simulators/test_time/traces.h"

namespace bitlaw {

/// Tasks whose difficulty differs, and how models of any size answer them: made up, so that what is recovered from the
/// answers can be compared with what went in. Our own; the forms are the usual ones.
///
/// Task i has the rank u_i, uniform in (0, 1) and the same for all models, 0 the hardest. A model of P parameters
/// solves it in one answer with chance p_i = quantile at u_i of Beta(mu s, (1 - mu) s), s = spread, whose mean over
/// tasks is
///
///   mu(P) = ceiling / (1 + (half_params / P)^slope)
///
/// An answer has exp(ln m_i + sigma z) tokens, z normal, right or wrong, at least 1, rounded to whole ones, with
///
///   m_i = median_tokens (P / half_params)^-token_exponent exp(hard_tokens (1/2 - u_i))
struct TaskFamily {
  double half_params = 4e9;      ///< parameters of half the ceiling
  double slope = 1;              ///< of mu in ln P
  double ceiling = 0.95;         ///< mean success of endless models, in (0, 1)
  double spread = 1;             ///< alpha + beta: small, tasks are all easy or impossible; large, all alike
  double median_tokens = 8000;   ///< of a model of half_params, for a task of rank 1/2
  double token_exponent = 0.05;  ///< larger models are shorter
  double sigma = 0.5;            ///< standard deviation of ln tokens
  double hard_tokens = 1;        ///< ln of how much longer the hardest task's answers are than the easiest's
  int prompt_tokens = 256;

  double mean_success(double params) const;
  /// Mean over tasks of `pass@k`: 1 - prod_{j<k} (beta + j) / (alpha + beta + j), the beta-binomial's.
  double mean_coverage(double params, int k) const;
  /// Mean over tasks of single answers that succeed within `tokens` tokens, for hard_tokens = 0: mu Phi(ln(tokens / m)
  /// / sigma), where lengths are not rounded.
  double mean_success_within(double params, double tokens) const;
  double median_length(double params, double rank) const;
};

/// A model that answers.
struct SimulatedModel {
  AnswererWords words;
  double params = 0;
};

/// `answers` answers of each model to each of `tasks` tasks, named "task 1", ... : a function of the family and the
/// seed; more tasks, answers or models change none of the others.
Traces simulate_traces(const TaskFamily& family, const std::vector<SimulatedModel>& models, int tasks, int answers,
                       std::uint64_t seed);

/// The traces as JSON lines, as traces.h describes them, in parts of bounded size.
void write_traces(const Traces& traces, const std::function<void(const std::string& part)>& write);

}  // namespace bitlaw
