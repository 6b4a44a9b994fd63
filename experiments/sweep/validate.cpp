#include "experiments/sweep/validate.h"

#include <fmt/format.h>

#include <algorithm>

#include "experiments/sweep/training_values.h"
#include "simulators/model/convnet.h"
#include "simulators/quantized/layer_plan.h"
#include "simulators/task/batch.h"
#include "simulators/train/start.h"

namespace bitlaw {
namespace {

/// InputError at `key`, whose place and words are only made where the condition does not hold.
template <typename... Args>
void require(bool condition, const RunDraft& draft, const char* key, fmt::format_string<const Args&...> message,
             const Args&... args) {
  if (!condition) throw InputError(draft.place(key), fmt::format(message, args...));
}

void check_model(const RunDraft& draft, const ModelConfig& model) {
  require(model.width % model.heads == 0, draft, "model.width",
          "model.width {} is not a multiple of model.heads {}, so heads would differ in width; choose a "
          "multiple",
          model.width, model.heads);
  require(model.head_width() % 2 == 0, draft, "model.width",
          "model.width {} over model.heads {} gives heads of the odd width {}, which the rotary embedding "
          "cannot pair up; choose an even quotient",
          model.width, model.heads, model.head_width());
  require(model.heads % model.kv_heads == 0, draft, "model.kv_heads",
          "model.kv_heads {} does not divide model.heads {}, so query heads could not share keys evenly; "
          "choose a divisor",
          model.kv_heads, model.heads);
}

void check_corpus(const RunDraft& draft, const TrainConfig& config, const Corpus& corpus) {
  const auto window = static_cast<std::size_t>(config.model.context) + 1;
  for (const auto& [part, size] :
       {std::pair{"training", corpus.train.size()}, {"held-out", corpus.validation.size()}}) {
    require(size >= window, draft, "model.context",
            "model.context {} needs {} tokens in a row and the {} part of the corpus has {}, so there is "
            "not one window; shorten the context or give more text",
            config.model.context, window, part, size);
  }
  require(config.eval_tokens >= config.model.context, draft, "training.eval_tokens",
          "training.eval_tokens {} is less than one window of model.context {}, so no loss could be "
          "measured; choose at least {}",
          config.eval_tokens, config.model.context, config.model.context);
}

void check_stages(const RunDraft& draft, const TrainConfig& config, const LabelledSource& images) {
  const bool halves =
      config.task == TaskKind::Classification && config.classification.net == ClassificationConfig::Net::Convnet;
  if (!halves) return;
  const int most = most_stages(images.shape());
  require(config.model.layers <= most, draft, "model.layers",
          "model.layers {} is more than the {} times that images of {} x {} can be halved, so nothing would "
          "be left of them; choose at most {}",
          config.model.layers, most, images.shape().height, images.shape().width, most);
}

void check_recipe(const Recipe& recipe, std::span<const LinearShape> layers, std::int64_t steps,
                  const SourceLocation& place) {
  if (const auto problem = recipe_problem(recipe, layers, steps)) {
    throw InputError(place,
                     fmt::format("precision '{}': {}; choose sizes that agree and divide", recipe.name, *problem));
  }
}

bool has_guide(const Recipe& recipe) {
  const auto guides = [](const RecipeRule& rule) {
    return std::any_of(rule.slots.begin(), rule.slots.end(), [](const auto& slot) { return slot && slot->guided; });
  };
  return is_guided(recipe.base) || std::any_of(recipe.rules.begin(), recipe.rules.end(), guides);
}

bool has_delay(const Recipe& recipe) {
  const auto delays = [](const RecipeRule& rule) {
    return std::any_of(rule.slots.begin(), rule.slots.end(), [](const auto& slot) { return slot && slot->delayed; });
  };
  return is_delayed(recipe.base) || std::any_of(recipe.rules.begin(), recipe.rules.end(), delays);
}

void check_guide(const RunDraft& draft, const TrainConfig& config) {
  if (config.optimizer.mean_decay > 0) return;
  const auto& shadows = config.statistics.shadows;
  require(
      !has_guide(config.recipe) && std::none_of(shadows.begin(), shadows.end(), has_guide), draft, "precision",
      "a slot is guided by the mean of the weights, and no such mean is kept, so it could not round; add for example "
      "training.optimizer.mean_decay: 0.998");
}

void check_start(const RunDraft& draft, const TrainConfig& config, const TaskData& data) {
  if (config.start_from.empty()) return;
  const std::vector<ParameterShape> model = shapes_of(make_task(config, data)->parameters().layout());
  at_place(draft.place("training.start_from"), [&] { return starting_state(config, model); });
}

}  // namespace

void check_run(const RunDraft& draft, const TrainConfig& config, const TaskData& data) {
  if (config.task == TaskKind::LanguageModel) check_model(draft, config.model);
  check_training(draft, config);
  if (data.corpus) check_corpus(draft, config, *data.corpus);
  if (data.labelled) check_stages(draft, config, *data.labelled);
}

std::optional<std::string> capped_evaluation(const RunDraft& draft, const TrainConfig& config, const TaskData& data) {
  std::int64_t most = config.eval_tokens;  // as many as are asked for, where they are drawn and not read
  if (data.corpus) most = validation_window_count(*data.corpus, config.model.context) * config.model.context;
  if (config.task == TaskKind::Classification) most = data.labelled->held_out_count();
  bool given = false;
  draft.for_each_given(
      [&](const std::string& key, const SourceLocation&) { given = given || key == "training.eval_tokens"; });
  if (!given || config.eval_tokens <= most) return std::nullopt;
  return fmt::format(
      "{}: training.eval_tokens {} is more than the {} {} that are held out, so the loss is the mean over those; "
      "choose "
      "at most {}",
      draft.place("training.eval_tokens").to_string(), config.eval_tokens, most,
      data.corpus ? "tokens in whole windows" : "images", most);
}

void check_recipes(const RunDraft& draft, const TrainConfig& config, const TaskData& data) {
  const std::vector<LinearShape> layers = linear_shapes(config, data);
  check_recipe(config.recipe, layers, config.steps(), draft.place("precision"));
  check_guide(draft, config);
  check_start(draft, config, data);
  const auto& shadows = config.statistics.shadows;
  require(shadows.empty() || config.statistics.every > 0, draft, "statistics.shadows",
          "statistics.shadows are given and statistics.every is not, so no step would look at them; add for example "
          "every: 100");
  for (const Recipe& shadow : shadows) {
    require(!has_delay(shadow), draft, "statistics.shadows",
            "shadow '{}' scales by earlier steps, and a shadow has none; give one without delayed scaling",
            shadow.name);
    check_recipe(shadow, layers, config.steps(), draft.place("statistics.shadows"));
  }
}

}  // namespace bitlaw
