#pragma once

#include <cstdint>
#include <vector>

#include "simulators/model/mlp.h"
#include "simulators/task/labelled_source.h"
#include "simulators/task/noise_schedule.h"
#include "simulators/task/task.h"
#include "simulators/task/task_config.h"

namespace bitlaw {

inline constexpr int kTimeFrequencies = 15;

/// Inputs of the model for points of `dimensions` coordinates, or images of as many values: these, then cos(pi k t / T)
/// and sin(pi k t / T) for k = 1, ..., 15.
constexpr std::int64_t diffusion_inputs(std::int64_t dimensions) { return dimensions + 2 * kTimeFrequencies; }

/// The products of a perceptron of `layers` hidden layers.
std::vector<LinearShape> diffusion_shapes(std::int64_t dimensions, int layers, std::int64_t width, std::int64_t batch);

/// Predicts the noise eps in x_t = a_t x + s_t eps from x_t and t, t uniform (Ho, Jain and Abbeel 2020,
/// arXiv:2006.11239, Eq. 14). The loss is the mean of (eps - prediction)^2 over the coordinates, so 1 for a prediction
/// of zeros and, in the plane, least_denoising_loss() at best.
class DiffusionTask : public Task {
 public:
  /// `shapes` are diffusion_shapes() and `plan` is for them. Losses are over eval_points other points, the same for
  /// every batch size. `images` are those of Density::Images, which outlive the task; null otherwise.
  DiffusionTask(const DiffusionConfig& config, const LabelledSource* images, std::vector<LinearShape> shapes,
                LayerPlan plan, int batch, std::int64_t eval_points, std::uint64_t seed);

  ParameterSet<float>& parameters() override { return model_.parameters(); }
  void observe(LinearObserver* observer) override { model_.observe(observer); }
  double forward(std::int64_t step) override;
  void backward(float loss_scale) override;
  Evaluation evaluate(std::int64_t step) override;

  // The last pass, for comparison with what is known of a density.
  ConstMatrixView<float> inputs() const { return inputs_.view(); }  ///< [batch, inputs]
  ConstMatrixView<float> noise() const { return noise_.view(); }    ///< [batch, dimensions]
  const std::vector<int>& times() const { return times_; }          ///< [batch]

 private:
  void draw_training(std::int64_t step);
  /// The held-out points first, ..., first + count - 1.
  void draw_held_out(std::int64_t first, std::int64_t count);
  /// Makes the model's inputs of `count` rows of points_ from row `first` on, with noise and times of these streams.
  void add_noise(const RandomStream& noise, const RandomStream& time, std::int64_t first, std::int64_t count);
  /// The sum over the first `count` rows and all coordinates; leaves error_ for backward.
  double squared_errors(std::int64_t count, std::int64_t step);

  DiffusionConfig config_;
  const LabelledSource* images_;
  NoiseLevels levels_;
  std::int64_t eval_points_;
  std::uint64_t seed_;
  Matrix<float> points_, noise_, inputs_;  ///< [batch, dimensions] twice, [batch, inputs]
  Mlp<float> model_;
  Matrix<float> features_;  ///< of each time, [T, 2 kTimeFrequencies]
  std::vector<int> times_;
  std::vector<std::uint16_t> labels_;  ///< of the images, which nobody asks for
  MatrixView<float> error_;
};

}  // namespace bitlaw
