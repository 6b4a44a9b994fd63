#include "simulators/train/task_factory.h"

#include "simulators/task/language_model.h"

namespace bitlaw {

TaskData load_task_data(const TrainConfig& config) {
  auto corpus = std::make_shared<const Corpus>(load_corpus(config.corpus));
  return {corpus, corpus->fingerprint};
}

std::vector<LinearShape> linear_shapes(const TrainConfig& config, const TaskData& data) {
  return transformer_shapes(config.model, data.corpus->vocabulary, config.tokens_per_step());
}

TaskCounts task_counts(const TrainConfig& config, const TaskData& data) {
  const int vocabulary = data.corpus->vocabulary;
  const auto tokens = static_cast<double>(config.steps() * config.tokens_per_step());
  return {parameter_count(config.model), total_parameter_count(config.model, vocabulary),
          3.0 * forward_flops_per_token(config.model, vocabulary) * tokens};
}

std::unique_ptr<Task> make_task(const TrainConfig& config, const TaskData& data) {
  LayerPlan plan(config.recipe, linear_shapes(config, data), config.steps());
  return std::make_unique<LanguageModelTask>(config.model, *data.corpus, std::move(plan), config.batch,
                                             config.eval_tokens, config.seed);
}

}  // namespace bitlaw
