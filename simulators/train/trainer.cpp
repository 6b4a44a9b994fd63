#include "simulators/train/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/base/build_info.h"
#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/base/team.h"
#include "simulators/optim/adamw.h"
#include "simulators/optim/optimizer.h"
#include "simulators/train/checkpoint.h"
#include "simulators/train/start.h"
#include "simulators/train/step_statistics.h"

namespace bitlaw {
namespace {

constexpr std::int64_t kCurvePoints = 500;   // about as many steps of a run are recorded
constexpr double kLeastLossScale = 0x1p-24;  // a gradient that overflows below it is not finite for another reason

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
        optimizer_(config.optimizer, parameters_.layout(), config.seed),
        step_statistics_(config, data),
        flops_per_step_(task_counts(config, data).training_flops / static_cast<double>(config.steps())),
        early_stop_(config.stop, flops_per_step_, config.steps()) {}

  std::optional<RunRecord> run() {
    if (!resume()) start();
    parameters_.set_means(optimizer_.means());
    auto last_save = std::chrono::steady_clock::now();
    while (step_ < config_.steps()) {
      if (early_stop_.spends_budget(step_)) {
        stopped_ = StopReason::Budget;
        break;
      }
      take_step();
      if (diverged_) break;  // a result: nothing to continue from
      if (options_.on_progress) options_.on_progress(flops_per_step_ * static_cast<double>(step_));
      keep_checkpoint();
      if (stopped_) break;  // before another checkpoint: whoever continued from it would go on
      const bool stop = options_.should_stop && options_.should_stop();
      if (stop || seconds_since(last_save) > options_.checkpoint_seconds) {
        if (!options_.checkpoint.empty()) save_checkpoint(options_.checkpoint, options_.identity, snapshot());
        last_save = std::chrono::steady_clock::now();
      }
      if (stop) return std::nullopt;
    }
    if (step_ == config_.steps()) stopped_.reset();  // nothing was left to leave out
    return record();
  }

 private:
  /// Continues this run; false where there is nothing of it yet.
  bool resume() {
    if (options_.checkpoint.empty()) return false;
    const auto state = load_checkpoint(options_.checkpoint, options_.identity);
    if (!state) return false;
    BITLAW_CHECK(state->parameters.size() == parameters_.values().size(), "checkpoint of {} parameters, model of {}",
                 state->parameters.size(), parameters_.values().size());
    restore(*state);
    tail_loss_ = state->tail_loss;
    tail_steps_ = state->tail_steps;
    earlier_seconds_ = state->wall_seconds;
    return true;
  }

  void start() {
    loss_scale_.scale = config_.loss_scale.initial > 0 ? config_.loss_scale.initial : 1.0;
    if (!config_.start_from.empty()) start_from(starting_state(config_, shapes_of(parameters_.layout())));
    if (step_ == 0) optimizer_.store_weights(parameters_, 0);
  }

  void start_from(const TrainState& state) {
    if (config_.start_with == StartWith::Weights) {
      std::copy(state.parameters.begin(), state.parameters.end(), parameters_.values().begin());
      return;
    }
    restore(state);
    // Whether the loss is scaled is this run's to say; how far it has come is the checkpoint's, if that was scaled,
    // too.
    const double initial = config_.loss_scale.initial;
    if (initial == 0 || loss_scale_.scale == 1) loss_scale_.scale = initial > 0 ? initial : 1.0;
  }

  static bool same_tensors(const std::vector<StateTensor>& a, const std::vector<StateTensor>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const StateTensor& x, const StateTensor& y) {
      return x.name == y.name && x.values.size() == y.values.size();
    });
  }

  void restore(const TrainState& state) {
    std::copy(state.parameters.begin(), state.parameters.end(), parameters_.values().begin());
    BITLAW_CHECK(same_tensors(state.optimizer, optimizer_.state()), "{} tensors of an optimizer of {}",
                 state.optimizer.size(), optimizer_.state().size());
    optimizer_.state() = state.optimizer;
    parameters_.delayed().restore(state.amax);
    step_ = state.step;
    loss_scale_ = state.loss_scale;
    areas_ = state.areas;
    curve_ = state.curve;
    statistics_ = state.statistics;
    for (const CurvePoint& point : curve_) early_stop_.after(point);  // none of them ended the run
  }

  TrainState snapshot() const {
    const auto values = parameters_.values();
    return {.step = step_,
            .parameters = {values.begin(), values.end()},
            .layout = shapes_of(parameters_.layout()),
            .optimizer_kind = config_.optimizer.kind,
            .optimizer = optimizer_.state(),
            .amax = parameters_.delayed().state(),
            .loss_scale = loss_scale_,
            .areas = areas_,
            .tail_loss = tail_loss_,
            .tail_steps = tail_steps_,
            .wall_seconds = wall_seconds(),
            .curve = curve_,
            .statistics = statistics_};
  }

  void keep_checkpoint() const {
    const auto& kept = config_.keep_checkpoints;
    if (options_.checkpoint.empty() || std::find(kept.begin(), kept.end(), step_) == kept.end()) return;
    save_checkpoint(kept_checkpoint(options_.checkpoint, step_), options_.identity, snapshot());
  }

  double wall_seconds() const { return earlier_seconds_ + seconds_since(start_); }

  void take_step() {
    CurvePoint point{.step = step_, .tokens = step_ * config_.tokens_per_step()};
    const bool validates = config_.validate_every > 0 && step_ % config_.validate_every == 0;
    if (validates) validate(point);
    compute_gradient(point);
    point.learning_rate = config_.optimizer.learning_rate * schedule_factor(config_.schedule, step_, config_.steps());
    const bool finite = std::isfinite(point.gradient_norm);
    const bool skips = config_.loss_scale.initial > 0 && !finite && loss_scale_.scale >= kLeastLossScale;
    diverged_ = !std::isfinite(point.train_loss) || !(finite || skips);
    if (!diverged_ && !skips) areas_.add(point.learning_rate);
    point.s1 = areas_.s1;
    point.s2 = areas_.s2;
    if (validates || diverged_ || is_on_curve()) add_to_curve(point);
    if (diverged_) return;  // the parameters stay those that produced the loss
    if (!skips) update(point);
    if (step_statistics_.is_due(step_)) step_statistics_.after_update(*task_, step_, statistics_);
    if (config_.loss_scale.initial > 0) adapt_loss_scale(skips);
    add_to_tail(point.train_loss);
    ++step_;
  }

  void add_to_curve(const CurvePoint& point) {
    curve_.push_back(point);
    if (diverged_) return;
    stopped_ = early_stop_.after(point);
    if (stopped_ == StopReason::Divergence) diverged_ = true;
  }

  void validate(CurvePoint& point) {
    const Evaluation held_out = task_->evaluate(config_.steps());
    point.validation_loss = held_out.loss;
    point.validation_error = held_out.error;
  }

  void compute_gradient(CurvePoint& point) {
    const auto scale = static_cast<float>(loss_scale_.scale);
    const bool observes = step_statistics_.is_due(step_);
    if (observes) step_statistics_.begin(*task_, step_, statistics_);
    parameters_.delayed().begin_step();
    point.train_loss = task_->forward(step_);
    task_->backward(scale);
    parameters_.delayed().end_step(step_);
    if (observes) step_statistics_.end(*task_, step_, scale, statistics_);
    point.gradient_norm = gradient_norm<float>(parameters_.gradients()) / loss_scale_.scale;
  }

  void update(const CurvePoint& point) {
    const double factor = clip_factor(point.gradient_norm, config_.optimizer.clip) / loss_scale_.scale;
    optimizer_.update(parameters_, point.learning_rate, factor, step_ - loss_scale_.skipped_steps);
  }

  bool is_on_curve() const {
    const std::int64_t steps = config_.steps();
    const std::int64_t every =
        config_.curve_every > 0 ? config_.curve_every : (steps + kCurvePoints - 1) / kCurvePoints;
    return step_ % every == 0 || step_ == steps - 1;
  }

  /// The training loss of a run is the mean over its last tenth.
  void add_to_tail(double loss) {
    const std::int64_t steps = config_.steps();
    if (step_ < steps - std::max<std::int64_t>(1, steps / 10)) return;
    tail_loss_ += loss;
    ++tail_steps_;
  }

  void adapt_loss_scale(bool overflows) {
    if (overflows) {
      loss_scale_.scale *= config_.loss_scale.backoff;
      loss_scale_.good_steps = 0;
      ++loss_scale_.skipped_steps;
    } else if (++loss_scale_.good_steps == config_.loss_scale.interval) {
      loss_scale_.scale *= config_.loss_scale.growth;
      loss_scale_.good_steps = 0;
    }
  }

  RunRecord record() {
    RunRecord r = untrained_record(config_, data_);
    const Evaluation held_out = diverged_ ? Evaluation{.loss = kNan} : task_->evaluate(config_.steps());
    r.loss = held_out.loss;
    r.error = held_out.error;
    r.diverged = !std::isfinite(r.loss);
    r.train_loss = r.diverged ? kNan : tail_loss_ / static_cast<double>(tail_steps_);
    if (stopped_) tell_of_stop(r);
    r.state_hash = state_hash(snapshot());
    r.wall_seconds = wall_seconds();
    r.timed_on = timed_on(options_.threads);
    r.curve = curve_;
    r.statistics = statistics_;
    return r;
  }

  /// What another number of steps than planned changes. The tail of the losses is the curve's.
  void tell_of_stop(RunRecord& r) const {
    r.stopped = name_of(*stopped_, kStopReasonNames);
    r.tokens = step_ * config_.tokens_per_step();
    r.flops = flops_per_step_ * static_cast<double>(step_);
    if (r.diverged) return;
    double sum = 0;
    std::int64_t points = 0;
    for (auto point = curve_.rbegin(); point != curve_.rend() && (points == 0 || point->step >= step_ - step_ / 10);
         ++point, ++points) {
      sum += point->train_loss;
    }
    r.train_loss = sum / static_cast<double>(points);
  }

  const TrainConfig& config_;
  const TaskData& data_;
  const TrainOptions& options_;
  std::unique_ptr<Task> task_;
  ParameterSet<float>& parameters_;
  Optimizer optimizer_;
  StepStatistics step_statistics_;
  double flops_per_step_;
  EarlyStop early_stop_;
  std::optional<StopReason> stopped_;
  std::int64_t step_ = 0;
  bool diverged_ = false;
  LossScaleState loss_scale_;
  AnnealingAreas areas_;
  double tail_loss_ = 0;
  std::int64_t tail_steps_ = 0;
  std::vector<CurvePoint> curve_;
  RunStatistics statistics_;
  double earlier_seconds_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

std::filesystem::path kept_checkpoint(const std::filesystem::path& checkpoint, std::int64_t step) {
  return fmt::format("{}.step{}", checkpoint.string(), step);
}

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
  r.entropy_rate = data.corpus ? data.corpus->entropy_rate.value_or(kNan) : kNan;
  r.corpus_fingerprint = data.fingerprint;
  return r;
}

std::optional<RunRecord> train(const TrainConfig& config, const TaskData& data, const TrainOptions& options) {
  const TeamScope team(options.threads);
  return Training(config, data, options).run();
}

}  // namespace bitlaw
