#include "simulators/task/diffusion.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "simulators/nn/squared_error.h"
#include "simulators/task/normal.h"

namespace bitlaw {
namespace {

Matrix<float> time_features(int times) {
  Matrix<float> features(times, kDiffusionInputs - 2);
  for (int t = 1; t <= times; ++t) {
    for (int k = 1; k <= kTimeFrequencies; ++k) {
      const float turns = 0.5F * static_cast<float>(k * t) / static_cast<float>(times);
      const auto [c, s] = cos_sin_turns(turns - std::floor(turns));
      features(t - 1, 2 * (k - 1)) = c;
      features(t - 1, 2 * (k - 1) + 1) = s;
    }
  }
  return features;
}

}  // namespace

std::vector<LinearShape> diffusion_shapes(int layers, std::int64_t width, std::int64_t batch) {
  return mlp_shapes(batch, kDiffusionInputs, layers, width, 2);
}

DiffusionTask::DiffusionTask(const DiffusionConfig& config, std::vector<LinearShape> shapes, LayerPlan plan, int batch,
                             std::int64_t eval_points, std::uint64_t seed)
    : config_(config),
      levels_(noise_levels(config.schedule, config.times)),
      eval_points_(eval_points),
      seed_(seed),
      model_(std::move(shapes), config.activation, Bias::Learned, std::move(plan), seed),
      features_(time_features(config.times)),
      points_(batch, 2),
      noise_(batch, 2),
      inputs_(batch, kDiffusionInputs),
      times_(static_cast<std::size_t>(batch)) {}

void DiffusionTask::draw(const Streams& streams, std::int64_t first, std::int64_t count) {
  const MatrixView<float> points = points_.view().middle_rows(first, count);
  const MatrixView<float> noise = noise_.view().middle_rows(first, count);
  draw_points(config_.density, streams.place, streams.jitter, points);
  fill_normal(streams.noise, {noise.data, static_cast<std::size_t>(noise.size())});
  for (std::int64_t r = 0; r < count; ++r) {
    const std::uint64_t bits = random_bits(streams.time, static_cast<std::uint64_t>(r));
    const auto t = static_cast<std::size_t>(bits * static_cast<std::uint64_t>(config_.times) >> 32);
    const auto a = static_cast<float>(levels_.signal[t]), s = static_cast<float>(levels_.noise[t]);
    float* input = inputs_.view().row(first + r);
    for (std::int64_t i = 0; i < 2; ++i) input[i] = a * points(r, i) + s * noise(r, i);
    std::copy_n(features_.view().row(static_cast<std::int64_t>(t)), features_.cols(), input + 2);
    times_[static_cast<std::size_t>(first + r)] = static_cast<int>(t) + 1;
  }
}

double DiffusionTask::squared_errors(std::int64_t count, std::int64_t step) {
  error_ = model_.forward(inputs_.view().middle_rows(0, count), static_cast<std::uint32_t>(step));
  return squared_error<float>(error_, noise_.view().middle_rows(0, count));
}

double DiffusionTask::forward(std::int64_t step) {
  const auto stream = [&](std::uint16_t slot) { return training_stream(seed_, step, slot); };
  draw({stream(kLabelSlot), stream(kFeatureSlot), stream(kTimeSlot), stream(kNoiseSlot)}, 0, points_.rows());
  return squared_errors(points_.rows(), step) / static_cast<double>(noise_.size());
}

void DiffusionTask::backward(float loss_scale) {
  const float scale = 2 * loss_scale / static_cast<float>(noise_.size());
  for (std::int64_t i = 0; i < error_.size(); ++i) error_.data[i] *= scale;
  model_.backward(error_);
}

Evaluation DiffusionTask::evaluate(std::int64_t step) {
  double total = 0;
  for (std::int64_t first = 0; first < eval_points_; first += points_.rows()) {
    const std::int64_t count = std::min(points_.rows(), eval_points_ - first);
    for (std::int64_t r = 0; r < count; ++r) {
      const auto stream = [&](std::uint16_t slot) { return held_out_stream(first + r, slot); };
      draw({stream(kLabelSlot), stream(kFeatureSlot), stream(kTimeSlot), stream(kNoiseSlot)}, r, 1);
    }
    total += squared_errors(count, step + first / points_.rows());
  }
  return {.loss = total / static_cast<double>(eval_points_ * noise_.cols())};
}

}  // namespace bitlaw
