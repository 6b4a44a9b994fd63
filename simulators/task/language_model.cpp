#include "simulators/task/language_model.h"

#include <algorithm>
#include <utility>

#include "simulators/task/batch.h"

namespace bitlaw {

LanguageModelTask::LanguageModelTask(const ModelConfig& model, const Corpus& corpus, LayerPlan plan, int batch,
                                     std::int64_t eval_tokens, std::uint64_t seed)
    : corpus_(corpus),
      model_(model, corpus.vocabulary, std::move(plan), seed),
      batch_(batch),
      context_(model.context),
      eval_tokens_(eval_tokens),
      seed_(seed),
      inputs_(static_cast<std::size_t>(batch) * static_cast<std::size_t>(model.context)),
      targets_(inputs_.size()) {
  require_context(corpus, context_);
}

double LanguageModelTask::forward(std::int64_t step) {
  sample_batch(corpus_, seed_, step, batch_, context_, inputs_, targets_);
  return model_.forward(inputs_, targets_, static_cast<std::uint32_t>(step));
}

Evaluation LanguageModelTask::evaluate(std::int64_t step) {
  const std::int64_t wanted = (eval_tokens_ + context_ - 1) / context_;
  const std::int64_t windows = std::min(wanted, validation_window_count(corpus_, context_));
  double total = 0;
  for (std::int64_t first = 0; first < windows; first += batch_) {
    const auto count = static_cast<int>(std::min<std::int64_t>(batch_, windows - first));
    const auto tokens = static_cast<std::size_t>(count) * static_cast<std::size_t>(context_);
    const std::span<std::uint16_t> inputs(inputs_.data(), tokens), targets(targets_.data(), tokens);
    validation_windows(corpus_, first, count, context_, inputs, targets);
    total += model_.forward(inputs, targets, static_cast<std::uint32_t>(step + first / batch_)) *
             static_cast<double>(tokens);
  }
  return {.loss = total / static_cast<double>(windows * context_)};
}

}  // namespace bitlaw
