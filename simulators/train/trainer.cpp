#include "simulators/train/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

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
  Training(const TrainConfig& config, const TaskData& data, const TrainOptions& options)
      : config_(config),
        data_(data),
        options_(options),
        task_(make_task(config, data)),
        parameters_(task_->parameters()),
        adam_(parameters_.values().size()) {}

  std::optional<RunRecord> run() {
    resume();
    auto last_save = std::chrono::steady_clock::now();
    const double flops_per_step = task_counts(config_, data_).training_flops / static_cast<double>(config_.steps());
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
    BITLAW_CHECK(state->parameters.size() == parameters_.values().size(), "checkpoint of {} parameters, model of {}",
                 state->parameters.size(), parameters_.values().size());
    std::copy(state->parameters.begin(), state->parameters.end(), parameters_.values().begin());
    adam_.m = state->first_moment;
    adam_.v = state->second_moment;
    step_ = state->step;
    tail_loss_ = state->tail_loss;
    tail_steps_ = state->tail_steps;
    earlier_seconds_ = state->wall_seconds;
    curve_ = state->curve;
  }

  TrainState snapshot() const {
    const auto values = parameters_.values();
    return {.step = step_,
            .parameters = {values.begin(), values.end()},
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
    const double loss = task_->forward(step_);
    task_->backward(1.0F);
    const double norm = gradient_norm<float>(parameters_.gradients());
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
    for (const Parameter& p : parameters_.layout()) {
      const auto first = static_cast<std::size_t>(p.first), size = static_cast<std::size_t>(p.size());
      adamw_update<float>(config_.optimizer, rate, p.decays ? config_.optimizer.weight_decay : 0.0, factor, step_,
                          parameters_.values().subspan(first, size), parameters_.gradients().subspan(first, size),
                          adam_, first);
    }
  }

  RunRecord record() {
    RunRecord r = untrained_record(config_, data_);
    r.loss = diverged_ ? kNaN : task_->evaluate(config_.steps()).loss;
    r.diverged = !std::isfinite(r.loss);
    r.train_loss = r.diverged ? kNaN : tail_loss_ / static_cast<double>(tail_steps_);
    r.state_hash = state_hash(snapshot());
    r.wall_seconds = wall_seconds();
    r.curve = curve_;
    return r;
  }

  const TrainConfig& config_;
  const TaskData& data_;
  const TrainOptions& options_;
  std::unique_ptr<Task> task_;
  ParameterSet<float>& parameters_;
  AdamWState<float> adam_;
  std::int64_t step_ = 0;
  bool diverged_ = false;
  double tail_loss_ = 0;
  std::int64_t tail_steps_ = 0;
  std::vector<CurvePoint> curve_;
  double earlier_seconds_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

RunRecord untrained_record(const TrainConfig& config, const TaskData& data) {
  const RecipeSummary summary = summarise(config.recipe);
  RunRecord r;
  r.precision = config.recipe.name;
  const TaskCounts counts = task_counts(config, data);
  r.params = counts.params;
  r.params_total = counts.params_total;
  r.tokens = config.steps() * config.tokens_per_step();
  r.flops = counts.training_flops;
  r.exponent_bits = summary.exponent_bits;
  r.mantissa_bits = summary.mantissa_bits;
  r.block_size = summary.block_size;
  r.seed = config.seed;
  r.entropy_rate = data.corpus ? data.corpus->entropy_rate.value_or(kNaN) : kNaN;
  r.corpus_fingerprint = data.fingerprint;
  return r;
}

std::optional<RunRecord> train(const TrainConfig& config, const TaskData& data, const TrainOptions& options) {
  return Training(config, data, options).run();
}

}  // namespace bitlaw
