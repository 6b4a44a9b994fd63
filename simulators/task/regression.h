#pragma once

#include <cstdint>
#include <vector>

#include "simulators/model/mlp.h"
#include "simulators/task/task.h"
#include "simulators/task/task_config.h"

namespace bitlaw {

/// Exponents of the excess loss in L = noise^2 / 2 + A N^-n + B D^-d on the power law.
///
/// n = beta: what N features leave unexplained is sum_{i > N} e_i / 2 ~ N^-beta / (2 beta); Maloney, Roberts and Sully
/// 2022, arXiv:2210.16859, and Bahri et al. 2021, arXiv:2102.06701, §2 (their "resolution-limited" regime), with the
/// truncation to N features in place of a random projection to N. d = beta / (1 + alpha) for one pass of stochastic
/// gradient descent with a constant rate and batch from zero: after t steps the modes with rate lambda_i t > 1 are
/// learned, i < t^(1 / (1 + alpha)); Lin et al. 2024, arXiv:2406.08466, §4 under the source condition (their a = 1 +
/// alpha, b = 1 + beta), which asks for b < a + 1, so beta < 1 + alpha.
struct RegressionExponents {
  double model = 0, data = 0;
};
RegressionExponents regression_exponents(const RegressionConfig& config);

/// sum_{i > n} i^-s for s > 1, n >= 0 (Euler and Maclaurin's formula from the 32nd term on; relative error < 1e-12).
double power_tail(double s, std::int64_t n);

/// The least loss of `features` features: half the variance of the noise and of what they do not explain.
double least_regression_loss(const RegressionConfig& config, std::int64_t features);

/// The one product, "linear".
std::vector<LinearShape> regression_shapes(const RegressionConfig& config, std::int64_t features, std::int64_t rows);

class RegressionTask : public Task {
 public:
  /// Batches hold `batch` fresh samples. The held-out loss is exact for the weights as they are kept, by the known
  /// covariance of the features; what rounding adds to it is a mean over eval_samples others, which are the same for
  /// every batch size and are rounded in batches as in training.
  ///
  /// What the features do not explain is drawn as one normal number, for that is its distribution given x.
  RegressionTask(const RegressionConfig& config, std::int64_t features, LayerPlan plan, int batch,
                 std::int64_t eval_samples, std::uint64_t seed);

  ParameterSet<float>& parameters() override { return model_.parameters(); }
  void observe(LinearObserver* observer) override { model_.observe(observer); }
  double forward(std::int64_t step) override;
  void backward(float loss_scale) override;
  Evaluation evaluate(std::int64_t step) override;

 private:
  // Fill x_ and y_: with the batch of a step, or with the held-out samples first, first + 1, ...
  void draw_training(std::int64_t step);
  void draw_held_out(std::int64_t first, std::int64_t count);
  /// Normal numbers in x_ and y_ become features and labels.
  void label();
  /// Sum of the model's squared errors on x_ and y_ with its rounding; leaves error_ for backward.
  double rounded_error(std::int64_t step);
  /// The same of its weights without rounding.
  double plain_error();
  /// Mean loss of its weights without rounding, over the distribution.
  double exact_loss();

  std::int64_t batch_, eval_samples_;
  std::uint64_t seed_;
  std::vector<float> scale_;  ///< sqrt(lambda_i), [N]
  float unseen_;              ///< standard deviation of noise and what the features leave
  Matrix<float> truth_;       ///< c_i / sqrt(lambda_i): the weights to learn, [outputs, N]
  Mlp<float> model_;
  Matrix<float> x_, y_, plain_;  ///< [batch, N], [batch, outputs] twice
  MatrixView<float> error_;
};

}  // namespace bitlaw
