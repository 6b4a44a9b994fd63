#include "simulators/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "simulators/model/transformer.h"
#include "simulators/task/batch.h"
#include "simulators/train/checkpoint.h"

namespace bitlaw {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kCurvePoints = 500;  // about as many steps of a run are recorded

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// One run in progress.
class Training {
 public:
  Training(const TrainConfig& config, const Corpus& corpus, const TrainOptions& options)
      : config_(config),
        corpus_(corpus),
        options_(options),
        model_(config.model, corpus.vocabulary, config.recipe, config.seed),
        adam_(model_.parameters().size()),
        inputs_(static_cast<std::size_t>(config.tokens_per_step())),
        targets_(inputs_.size()) {}

  std::optional<RunRecord> run() {
    resume();
    auto last_save = std::chrono::steady_clock::now();
    const double flops_per_step = training_flops(config_, corpus_.vocabulary) / static_cast<double>(config_.steps());
    while (step_ < config_.steps()) {
      take_step();
      if (diverged_) break;  // a result: nothing to continue from
      if (options_.on_progress) options_.on_progress(flops_per_step * static_cast<double>(step_));
      const bool stop = options_.should_stop && options_.should_stop();
      if (stop || seconds_since(last_save) > options_.checkpoint_seconds) {
        if (!options_.checkpoint.empty()) save_checkpoint(options_.checkpoint, options_.identity, snapshot());
        last_save = std::chrono::steady_clock::now();
      }
      if (stop) return std::nullopt;
    }
    return record();
  }

 private:
  void resume() {
    if (options_.checkpoint.empty()) return;
    const auto state = load_checkpoint(options_.checkpoint, options_.identity);
    if (!state) return;
    BITLAW_CHECK(state->parameters.size() == model_.parameters().size(), "checkpoint of {} parameters, model of {}",
                 state->parameters.size(), model_.parameters().size());
    std::copy(state->parameters.begin(), state->parameters.end(), model_.parameters().begin());
    adam_.m = state->first_moment;
    adam_.v = state->second_moment;
    step_ = state->step;
    tail_loss_ = state->tail_loss;
    tail_steps_ = state->tail_steps;
    earlier_seconds_ = state->wall_seconds;
    curve_ = state->curve;
  }

  TrainState snapshot() const {
    const auto parameters = model_.parameters();
    return {.step = step_,
            .parameters = {parameters.begin(), parameters.end()},
            .first_moment = adam_.m,
            .second_moment = adam_.v,
            .tail_loss = tail_loss_,
            .tail_steps = tail_steps_,
            .wall_seconds = wall_seconds(),
            .curve = curve_};
  }

  double wall_seconds() const { return earlier_seconds_ + seconds_since(start_); }

  void take_step() {
    const std::int64_t steps = config_.steps();
    sample_batch(corpus_, config_.seed, step_, config_.batch, config_.model.context, inputs_, targets_);
    const double loss = model_.forward(inputs_, targets_, static_cast<std::uint32_t>(step_));
    model_.backward();
    const double norm = gradient_norm(model_.gradients());
    const double rate = config_.optimizer.learning_rate * schedule_factor(config_.schedule, step_, steps);
    diverged_ = !std::isfinite(loss) || !std::isfinite(norm);
    const std::int64_t every = (steps + kCurvePoints - 1) / kCurvePoints;
    if (step_ % every == 0 || step_ == steps - 1 || diverged_) {
      curve_.push_back({step_, step_ * config_.tokens_per_step(), loss, rate, norm});
    }
    if (diverged_) return;  // the parameters stay those that produced the loss
    update(rate, clip_factor(norm, config_.optimizer.clip));
    if (step_ >= steps - std::max<std::int64_t>(1, steps / 10)) {
      tail_loss_ += loss;
      ++tail_steps_;
    }
    ++step_;
  }

  void update(double rate, double factor) {
    for (const Parameter& p : model_.layout()) {
      const auto first = static_cast<std::size_t>(p.first), size = static_cast<std::size_t>(p.size());
      adamw_update<float>(config_.optimizer, rate, p.decays ? config_.optimizer.weight_decay : 0.0, factor, step_,
                          model_.parameters().subspan(first, size), model_.gradients().subspan(first, size), adam_,
                          first);
    }
  }

  /// Mean loss over the first eval_tokens of the held-out part, with the recipe's rounding as in training.
  double evaluate() {
    const int context = config_.model.context;
    const std::int64_t wanted = (config_.eval_tokens + context - 1) / context;
    const std::int64_t windows = std::min(wanted, validation_window_count(corpus_, context));
    double total = 0;
    for (std::int64_t first = 0; first < windows; first += config_.batch) {
      const auto count = static_cast<int>(std::min<std::int64_t>(config_.batch, windows - first));
      const auto tokens = static_cast<std::size_t>(count) * static_cast<std::size_t>(context);
      const std::span<std::uint16_t> inputs(inputs_.data(), tokens), targets(targets_.data(), tokens);
      validation_windows(corpus_, first, count, context, inputs, targets);
      // Steps from config.steps() on are not used in training: fresh random bits.
      const auto step = static_cast<std::uint32_t>(config_.steps() + first / config_.batch);
      total += model_.forward(inputs, targets, step) * static_cast<double>(tokens);
    }
    return total / static_cast<double>(windows * context);
  }

  RunRecord record() {
    RunRecord r = untrained_record(config_, corpus_);
    r.loss = diverged_ ? kNaN : evaluate();
    r.diverged = !std::isfinite(r.loss);
    r.train_loss = r.diverged ? kNaN : tail_loss_ / static_cast<double>(tail_steps_);
    r.state_hash = state_hash(snapshot());
    r.wall_seconds = wall_seconds();
    r.curve = curve_;
    return r;
  }

  const TrainConfig& config_;
  const Corpus& corpus_;
  const TrainOptions& options_;
  Transformer<float> model_;
  AdamWState<float> adam_;
  std::vector<std::uint16_t> inputs_, targets_;
  std::int64_t step_ = 0;
  bool diverged_ = false;
  double tail_loss_ = 0;
  std::int64_t tail_steps_ = 0;
  std::vector<CurvePoint> curve_;
  double earlier_seconds_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

RunRecord untrained_record(const TrainConfig& config, const Corpus& corpus) {
  const RecipeSummary summary = summarise(config.recipe);
  RunRecord r;
  r.precision = config.recipe.name;
  r.params = parameter_count(config.model);
  r.params_total = total_parameter_count(config.model, corpus.vocabulary);
  r.tokens = config.steps() * config.tokens_per_step();
  r.flops = training_flops(config, corpus.vocabulary);
  r.exponent_bits = summary.exponent_bits;
  r.mantissa_bits = summary.mantissa_bits;
  r.block_size = summary.block_size;
  r.seed = config.seed;
  r.entropy_rate = corpus.entropy_rate.value_or(kNaN);
  r.corpus_fingerprint = corpus.fingerprint;
  return r;
}

std::optional<RunRecord> train(const TrainConfig& config, const Corpus& corpus, const TrainOptions& options) {
  require_context(corpus, config.model.context);
  return Training(config, corpus, options).run();
}

}  // namespace bitlaw
