#pragma once

#include <vector>

#include "simulators/model/transformer.h"
#include "simulators/task/corpus.h"
#include "simulators/task/task.h"

namespace bitlaw {

/// Predicts the next token of a corpus with a decoder-only transformer; loss in nats per token.
class LanguageModelTask : public Task {
 public:
  /// `corpus` outlives the task. Batches hold `batch` windows; held-out losses are over the first eval_tokens tokens.
  LanguageModelTask(const ModelConfig& model, const Corpus& corpus, LayerPlan plan, int batch, std::int64_t eval_tokens,
                    std::uint64_t seed);

  ParameterSet<float>& parameters() override { return model_.parameters(); }
  double forward(std::int64_t step) override;
  void backward(float loss_scale) override { model_.backward(loss_scale); }
  void observe(LinearObserver* observer) override { model_.observe(observer); }
  Evaluation evaluate(std::int64_t step) override;

 private:
  const Corpus& corpus_;
  Transformer<float> model_;
  int batch_, context_;
  std::int64_t eval_tokens_;
  std::uint64_t seed_;
  std::vector<std::uint16_t> inputs_, targets_;  ///< [batch, context]
};

}  // namespace bitlaw
