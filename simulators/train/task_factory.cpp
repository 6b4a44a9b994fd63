#include "simulators/train/task_factory.h"

#include <utility>

#include "core/base/check.h"
#include "simulators/model/affine_layers.h"
#include "simulators/model/convnet.h"
#include "simulators/model/mlp.h"
#include "simulators/task/classification.h"
#include "simulators/task/diffusion.h"
#include "simulators/task/language_model.h"
#include "simulators/task/regression.h"

namespace bitlaw {
namespace {

using Data = ClassificationConfig::Data;

/// Each step's forward products and twice as many backward.
double training_flops(const TrainConfig& config, double forward_flops_per_step) {
  return 3.0 * forward_flops_per_step * static_cast<double>(config.steps());
}

TaskCounts counts_of(const TrainConfig& config, std::span<const LinearShape> shapes) {
  const Bias bias = config.task == TaskKind::Regression ? Bias::None : Bias::Learned;
  const LayerCounts counts = count_layers(shapes, bias);
  return {counts.params, counts.params_total, training_flops(config, counts.forward_flops)};
}

}  // namespace

bool has_images(const TrainConfig& config) {
  return config.task == TaskKind::Classification ||
         (config.task == TaskKind::Diffusion && config.diffusion.density == Density::Images);
}

TaskData load_task_data(const TrainConfig& config) {
  TaskData data;
  if (config.task == TaskKind::LanguageModel) {
    data.corpus = std::make_shared<const Corpus>(load_corpus(config.corpus));
    data.fingerprint = data.corpus->fingerprint;
  } else if (has_images(config)) {
    data.labelled = load_labelled(config.classification);
    data.fingerprint = data.labelled->fingerprint();
  }
  return data;
}

std::vector<LinearShape> linear_shapes(const TrainConfig& config, const TaskData& data) {
  const auto [layers, width] = std::pair(config.model.layers, config.model.width);
  switch (config.task) {
    case TaskKind::LanguageModel:
      return transformer_shapes(config.model, data.corpus->vocabulary, config.tokens_per_step());
    case TaskKind::Regression:
      return regression_shapes(config.regression, width, config.batch);
    case TaskKind::Classification:
      return classification_shapes(config.classification, *data.labelled, layers, width, config.batch);
    case TaskKind::Diffusion:
      return diffusion_shapes(data.labelled ? data.labelled->shape().size() : 2, layers, width, config.batch);
  }
  BITLAW_CHECK(false, "task {}", static_cast<int>(config.task));
}

TaskCounts task_counts(const TrainConfig& config, const TaskData& data) {
  if (config.task != TaskKind::LanguageModel) return counts_of(config, linear_shapes(config, data));
  const int vocabulary = data.corpus->vocabulary;
  const auto tokens = static_cast<double>(config.tokens_per_step());
  return {parameter_count(config.model), total_parameter_count(config.model, vocabulary),
          training_flops(config, forward_flops_per_token(config.model, vocabulary) * tokens)};
}

std::optional<std::int64_t> params_without_data(const TrainConfig& config) {
  if (config.task == TaskKind::LanguageModel) return parameter_count(config.model);
  if (!has_images(config)) return task_counts(config, {}).params;
  const ClassificationConfig& c = config.classification;
  const std::int64_t pixels = static_cast<std::int64_t>(c.side) * c.side;
  if (config.task == TaskKind::Diffusion) {
    if (c.data != Data::Gaussian) return std::nullopt;
    return counts_of(config, diffusion_shapes(pixels, config.model.layers, config.model.width, config.batch)).params;
  }
  if (c.net == ClassificationConfig::Net::Convnet) {  // the size of the images is the head's business
    const ImageShape image{.height = 1, .width = 1, .channels = c.data == Data::Cifar10 ? 3 : 1};
    return counts_of(config, convnet_shapes(config.batch, image, config.model.layers, config.model.width, 1)).params;
  }
  if (c.data != Data::Gaussian) return std::nullopt;
  return counts_of(config, mlp_shapes(config.batch, pixels, config.model.layers, config.model.width, 1)).params;
}

std::unique_ptr<Task> make_task(const TrainConfig& config, const TaskData& data) {
  std::vector<LinearShape> shapes = linear_shapes(config, data);
  LayerPlan plan(config.recipe, shapes, config.steps());
  switch (config.task) {
    case TaskKind::LanguageModel:
      return std::make_unique<LanguageModelTask>(config.model, *data.corpus, std::move(plan), config.batch,
                                                 config.eval_tokens, config.seed);
    case TaskKind::Regression:
      return std::make_unique<RegressionTask>(config.regression, config.model.width, std::move(plan), config.batch,
                                              config.eval_tokens, config.seed);
    case TaskKind::Classification:
      return std::make_unique<ClassificationTask>(config.classification, *data.labelled, std::move(shapes),
                                                  std::move(plan), config.batch, config.eval_tokens, config.seed);
    case TaskKind::Diffusion:
      return std::make_unique<DiffusionTask>(config.diffusion, data.labelled.get(), std::move(shapes), std::move(plan),
                                             config.batch, config.eval_tokens, config.seed);
  }
  BITLAW_CHECK(false, "task {}", static_cast<int>(config.task));
}

}  // namespace bitlaw
