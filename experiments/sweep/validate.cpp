#include "experiments/sweep/validate.h"

#include <fmt/format.h>

#include "experiments/sweep/training_values.h"
#include "simulators/quantized/layer_plan.h"

namespace bitlaw {
namespace {

void require(bool condition, const SourceLocation& place, const std::string& message) {
  if (!condition) throw InputError(place, message);
}

void check_model(const RunDraft& draft, const ModelConfig& model) {
  require(model.width % model.heads == 0, draft.place("model.width"),
          fmt::format("model.width {} is not a multiple of model.heads {}, so heads would differ in width; choose a "
                      "multiple",
                      model.width, model.heads));
  require(model.head_width() % 2 == 0, draft.place("model.width"),
          fmt::format("model.width {} over model.heads {} gives heads of the odd width {}, which the rotary embedding "
                      "cannot pair up; choose an even quotient",
                      model.width, model.heads, model.head_width()));
  require(model.heads % model.kv_heads == 0, draft.place("model.kv_heads"),
          fmt::format("model.kv_heads {} does not divide model.heads {}, so query heads could not share keys evenly; "
                      "choose a divisor",
                      model.kv_heads, model.heads));
}

void check_corpus(const RunDraft& draft, const TrainConfig& config, const Corpus& corpus) {
  const auto window = static_cast<std::size_t>(config.model.context) + 1;
  for (const auto& [part, size] :
       {std::pair{"training", corpus.train.size()}, {"held-out", corpus.validation.size()}}) {
    require(size >= window, draft.place("model.context"),
            fmt::format("model.context {} needs {} tokens in a row and the {} part of the corpus has {}, so there is "
                        "not one window; shorten the context or give more text",
                        config.model.context, window, part, size));
  }
  require(config.eval_tokens >= config.model.context, draft.place("training.eval_tokens"),
          fmt::format("training.eval_tokens {} is less than one window of model.context {}, so no loss could be "
                      "measured; choose at least {}",
                      config.eval_tokens, config.model.context, config.model.context));
}

}  // namespace

void check_run(const RunDraft& draft, const TaskData& data) {
  const TrainConfig config = draft.resolved();
  check_model(draft, config.model);
  check_training(draft, config);
  check_corpus(draft, config, *data.corpus);
  if (const auto problem = recipe_problem(config.recipe, linear_shapes(config, data), config.steps())) {
    throw InputError(draft.place("precision"), fmt::format("precision '{}': {}; choose sizes that agree and divide",
                                                           config.recipe.name, *problem));
  }
}

}  // namespace bitlaw
