#include "simulators/task/diffusion.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "simulators/nn/squared_error.h"
#include "simulators/task/normal.h"

namespace bitlaw {
namespace {

Matrix<float> time_features(int times) {
  Matrix<float> features(times, 2 * kTimeFrequencies);
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

std::vector<LinearShape> diffusion_shapes(std::int64_t dimensions, int layers, std::int64_t width, std::int64_t batch) {
  return mlp_shapes(batch, diffusion_inputs(dimensions), layers, width, dimensions);
}

DiffusionTask::DiffusionTask(const DiffusionConfig& config, const LabelledSource* images,
                             std::vector<LinearShape> shapes, LayerPlan plan, int batch, std::int64_t eval_points,
                             std::uint64_t seed)
    : config_(config),
      images_(images),
      levels_(noise_levels(config.schedule, config.times)),
      eval_points_(images != nullptr ? std::min(eval_points, images->held_out_count()) : eval_points),
      seed_(seed),
      points_(batch, shapes.back().out),
      noise_(batch, shapes.back().out),
      inputs_(batch, diffusion_inputs(shapes.back().out)),
      model_(std::move(shapes), config.activation, Bias::Learned, std::move(plan), seed),
      features_(time_features(config.times)),
      times_(static_cast<std::size_t>(batch)),
      labels_(static_cast<std::size_t>(batch)) {}

void DiffusionTask::draw_training(std::int64_t step) {
  if (images_ != nullptr) {
    images_->draw_training(seed_, step, points_.view(), labels_);
  } else {
    draw_points(config_.density, training_stream(seed_, step, kLabelSlot), training_stream(seed_, step, kFeatureSlot),
                points_.view());
  }
  add_noise(training_stream(seed_, step, kNoiseSlot), training_stream(seed_, step, kTimeSlot), 0, points_.rows());
}

void DiffusionTask::draw_held_out(std::int64_t first, std::int64_t count) {
  if (images_ != nullptr) {
    const auto labels = std::span(labels_).first(static_cast<std::size_t>(count));
    images_->draw_held_out(first, points_.view().middle_rows(0, count), labels);
  }
  for (std::int64_t r = 0; r < count; ++r) {
    const auto stream = [&](std::uint16_t slot) { return held_out_stream(first + r, slot); };
    if (images_ == nullptr) {
      draw_points(config_.density, stream(kLabelSlot), stream(kFeatureSlot), points_.view().middle_rows(r, 1));
    }
    add_noise(stream(kNoiseSlot), stream(kTimeSlot), r, 1);
  }
}

void DiffusionTask::add_noise(const RandomStream& noise, const RandomStream& time, std::int64_t first,
                              std::int64_t count) {
  const std::int64_t dimensions = points_.cols();
  const MatrixView<float> eps = noise_.view().middle_rows(first, count);
  fill_normal(noise, {eps.data, static_cast<std::size_t>(eps.size())});
  for (std::int64_t r = 0; r < count; ++r) {
    const std::uint64_t bits = random_bits(time, static_cast<std::uint64_t>(r));
    const auto t = static_cast<std::size_t>(bits * static_cast<std::uint64_t>(config_.times) >> 32);
    const auto a = static_cast<float>(levels_.signal[t]), s = static_cast<float>(levels_.noise[t]);
    const float* point = points_.view().row(first + r);
    float* input = inputs_.view().row(first + r);
    for (std::int64_t i = 0; i < dimensions; ++i) input[i] = a * point[i] + s * eps(r, i);
    std::copy_n(features_.view().row(static_cast<std::int64_t>(t)), features_.cols(), input + dimensions);
    times_[static_cast<std::size_t>(first + r)] = static_cast<int>(t) + 1;
  }
}

double DiffusionTask::squared_errors(std::int64_t count, std::int64_t step) {
  error_ = model_.forward(inputs_.view().middle_rows(0, count), static_cast<std::uint32_t>(step));
  return squared_error<float>(error_, noise_.view().middle_rows(0, count));
}

double DiffusionTask::forward(std::int64_t step) {
  draw_training(step);
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
    draw_held_out(first, count);
    total += squared_errors(count, step + first / points_.rows());
  }
  return {.loss = total / static_cast<double>(eval_points_ * noise_.cols())};
}

}  // namespace bitlaw
