#include "simulators/task/regression.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "core/tensor/gemm.h"
#include "simulators/nn/squared_error.h"
#include "simulators/task/normal.h"

namespace bitlaw {
namespace {

using Kind = RegressionConfig::Kind;

/// Variance of the labels that the features do not explain.
double unseen_variance(const RegressionConfig& config, std::int64_t features) {
  const double tail = config.kind == Kind::PowerLaw ? power_tail(1 + config.beta, features) : 0;
  return tail + config.noise * config.noise;
}

std::span<float> all(MatrixView<float> m) { return {m.data, static_cast<std::size_t>(m.size())}; }

}  // namespace

RegressionExponents regression_exponents(const RegressionConfig& config) {
  return {.model = config.beta, .data = config.beta / (1 + config.alpha)};
}

double power_tail(double s, std::int64_t n) {
  constexpr std::int64_t kFirst = 32;
  double sum = 0;
  for (; n < kFirst; ++n) sum += std::pow(static_cast<double>(n + 1), -s);
  const auto m = static_cast<double>(n);  // sum_{i > m} = m^(1-s) / (s-1) - m^-s / 2 + s m^(-s-1) / 12 - ...
  const double cubic = s * (s + 1) * (s + 2) / 720;
  return sum + std::pow(m, -s) * (m / (s - 1) - 0.5 + s / (12 * m) - cubic / (m * m * m));
}

double least_regression_loss(const RegressionConfig& config, std::int64_t features) {
  return unseen_variance(config, features) / 2;
}

std::vector<LinearShape> regression_shapes(const RegressionConfig& config, std::int64_t features, std::int64_t rows) {
  return {{"linear", ProductKind::Linear, rows, features, config.outputs}};
}

RegressionTask::RegressionTask(const RegressionConfig& config, std::int64_t features, LayerPlan plan, int batch,
                               std::int64_t eval_samples, std::uint64_t seed)
    : batch_(batch),
      eval_samples_(eval_samples),
      seed_(seed),
      unseen_(static_cast<float>(std::sqrt(unseen_variance(config, features)))),
      truth_(config.outputs, features),
      model_(regression_shapes(config, features, batch), Activation::Relu, Bias::None, std::move(plan), seed),
      x_(batch, features),
      y_(batch, config.outputs) {
  const RandomStream signs{.seed = 0, .slot = kTruthSlot};
  const bool power = config.kind == Kind::PowerLaw;
  for (std::int64_t j = 0; j < features; ++j) {
    const auto i = static_cast<double>(j + 1);
    const double lambda = power ? std::pow(i, -(1 + config.alpha)) : 1;
    const double e = power ? std::pow(i, -(1 + config.beta)) : 1 / static_cast<double>(features);
    scale_.push_back(static_cast<float>(std::sqrt(lambda)));
    for (std::int64_t o = 0; o < config.outputs; ++o) {
      const bool negative = random_bits(signs, static_cast<std::uint64_t>(j * config.outputs + o)) >> 31;
      truth_(o, j) = static_cast<float>((negative ? -1 : 1) * std::sqrt(e / lambda));
    }
  }
}

void RegressionTask::draw_training(std::int64_t step) {
  x_.resize(batch_, x_.cols());
  y_.resize(batch_, y_.cols());
  fill_normal(training_stream(seed_, step, kFeatureSlot), all(x_.view()));
  fill_normal(training_stream(seed_, step, kNoiseSlot), all(y_.view()));
  label();
}

void RegressionTask::draw_held_out(std::int64_t first, std::int64_t count) {
  x_.resize(count, x_.cols());
  y_.resize(count, y_.cols());
  for (std::int64_t r = 0; r < count; ++r) {
    fill_normal(held_out_stream(first + r, kFeatureSlot), all(x_.view().middle_rows(r, 1)));
    fill_normal(held_out_stream(first + r, kNoiseSlot), all(y_.view().middle_rows(r, 1)));
  }
  label();
}

void RegressionTask::label() {
  for (std::int64_t r = 0; r < x_.rows(); ++r) {
    float* row = x_.view().row(r);
    for (std::size_t j = 0; j < scale_.size(); ++j) row[j] *= scale_[j];
  }
  for (std::int64_t i = 0; i < y_.size(); ++i) y_.data()[i] *= unseen_;
  gemm(Op::AsIs, Op::Transposed, x_.view(), truth_.view(), y_.view(), Accumulate::Add);
}

double RegressionTask::rounded_error(std::int64_t step) {
  error_ = model_.forward(x_.view(), static_cast<std::uint32_t>(step));
  return squared_error<float>(error_, y_.view());
}

double RegressionTask::plain_error() {
  plain_.resize(y_.rows(), y_.cols());
  gemm(Op::AsIs, Op::Transposed, x_.view(), parameters().weight(0), plain_.view());
  return squared_error<float>(plain_.view(), y_.view());
}

double RegressionTask::exact_loss() {
  const ConstMatrixView<float> w = parameters().weight(0);
  double sum = 0;
  for (std::int64_t o = 0; o < w.rows; ++o) {
    for (std::int64_t j = 0; j < w.cols; ++j) {
      const double off = static_cast<double>(scale_[static_cast<std::size_t>(j)]) *
                         (static_cast<double>(w(o, j)) - static_cast<double>(truth_(o, j)));
      sum += off * off;
    }
  }
  const double unseen = static_cast<double>(unseen_);
  return (sum / static_cast<double>(w.rows) + unseen * unseen) / 2;
}

double RegressionTask::forward(std::int64_t step) {
  draw_training(step);
  return rounded_error(step) / (2 * static_cast<double>(y_.size()));
}

void RegressionTask::backward(float loss_scale) {
  const float scale = loss_scale / static_cast<float>(y_.size());
  for (std::int64_t i = 0; i < error_.size(); ++i) error_.data[i] *= scale;
  model_.backward(error_);
}

Evaluation RegressionTask::evaluate(std::int64_t step) {
  double added = 0;  // by rounding: the same samples with and without, so that what they have in common cancels
  for (std::int64_t first = 0; first < eval_samples_; first += batch_) {
    draw_held_out(first, std::min(batch_, eval_samples_ - first));
    added += rounded_error(step + first / batch_) - plain_error();
  }
  return {.loss = exact_loss() + added / (2 * static_cast<double>(eval_samples_ * y_.cols()))};
}

}  // namespace bitlaw
