#pragma once

#include <cstdint>
#include <vector>

#include "simulators/model/mlp.h"
#include "simulators/task/noise_schedule.h"
#include "simulators/task/task.h"
#include "simulators/task/task_config.h"

namespace bitlaw {

/// Inputs of the model: the two coordinates, then cos(pi k t / T) and sin(pi k t / T) for k = 1, ..., 15.
inline constexpr std::int64_t kDiffusionInputs = 32;
inline constexpr int kTimeFrequencies = 15;

/// The products of a perceptron of `layers` hidden layers.
std::vector<LinearShape> diffusion_shapes(int layers, std::int64_t width, std::int64_t batch);

/// Predicts the noise eps in x_t = a_t x + s_t eps from x_t and t, t uniform (Ho, Jain and Abbeel 2020,
/// arXiv:2006.11239, Eq. 14). The loss is |eps - prediction|^2 / 2, so 1 for a prediction of zeros and
/// least_denoising_loss() at best.
class DiffusionTask : public Task {
 public:
  /// `shapes` are diffusion_shapes() and `plan` is for them. Losses are over eval_points other points, the same for
  /// every batch size.
  DiffusionTask(const DiffusionConfig& config, std::vector<LinearShape> shapes, LayerPlan plan, int batch,
                std::int64_t eval_points, std::uint64_t seed);

  ParameterSet<float>& parameters() override { return model_.parameters(); }
  void observe(LinearObserver* observer) override { model_.observe(observer); }
  double forward(std::int64_t step) override;
  void backward(float loss_scale) override;
  Evaluation evaluate(std::int64_t step) override;

  // The last pass, for comparison with what is known of a density.
  ConstMatrixView<float> inputs() const { return inputs_.view(); }  ///< [batch, kDiffusionInputs]
  ConstMatrixView<float> noise() const { return noise_.view(); }    ///< [batch, 2]
  const std::vector<int>& times() const { return times_; }          ///< [batch]

 private:
  struct Streams {
    RandomStream place, jitter, time, noise;
  };
  /// The rows first, ..., first + count - 1 of a batch.
  void draw(const Streams& streams, std::int64_t first, std::int64_t count);
  /// The sum over the first `count` rows and both coordinates; leaves error_ for backward.
  double squared_errors(std::int64_t count, std::int64_t step);

  DiffusionConfig config_;
  NoiseLevels levels_;
  std::int64_t eval_points_;
  std::uint64_t seed_;
  Mlp<float> model_;
  Matrix<float> features_;  ///< of each time, [T, kDiffusionInputs - 2]
  Matrix<float> points_, noise_, inputs_;
  std::vector<int> times_;
  MatrixView<float> error_;
};

}  // namespace bitlaw
