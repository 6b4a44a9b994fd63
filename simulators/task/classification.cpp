#include "simulators/task/classification.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "simulators/model/convnet.h"
#include "simulators/model/mlp.h"
#include "simulators/nn/cross_entropy.h"
#include "simulators/task/gaussian_classes.h"
#include "simulators/task/labelled_images.h"

namespace bitlaw {
namespace {

using Data = ClassificationConfig::Data;
using Net = ClassificationConfig::Net;

std::int64_t wrong(ConstMatrixView<float> probabilities, std::span<const std::uint16_t> labels) {
  std::int64_t count = 0;
  for (std::int64_t r = 0; r < probabilities.rows; ++r) {
    const float* row = probabilities.row(r);
    if (std::max_element(row, row + probabilities.cols) - row != labels[static_cast<std::size_t>(r)]) ++count;
  }
  return count;
}

void require_files(const std::vector<std::string>& files, std::string_view key, Data data) {
  const bool fit = data == Data::Idx ? files.size() == 2 : !files.empty();
  if (fit) return;
  throw InputError(
      fmt::format("classification.{} names {} files, but {}; name them", key, files.size(),
                  data == Data::Idx ? "IDX data are one of images and one of labels" : "CIFAR-10 is one or more"));
}

void require_patterns(const ClassificationConfig& config) {
  if (!std::has_single_bit(static_cast<unsigned>(config.side))) {
    throw InputError(
        fmt::format("classification.side {} is not a power of two, so there are no Walsh patterns of that "
                    "size; choose 4, 8, 16 or the like",
                    config.side));
  }
  if (config.classes >= config.side * config.side) {
    throw InputError(
        fmt::format("classification.classes {} of images of {} x {} pixels leave too few patterns; choose "
                    "fewer than {} classes or larger images",
                    config.classes, config.side, config.side, config.side * config.side));
  }
}

}  // namespace

std::shared_ptr<const LabelledSource> load_labelled(const ClassificationConfig& config) {
  const auto &train = config.train_files, &test = config.test_files;
  if (config.data != Data::Gaussian) {
    require_files(train, "train_files", config.data);
    require_files(test, "test_files", config.data);
  }
  if (config.data == Data::Gaussian) {
    require_patterns(config);
    return std::make_shared<GaussianClasses>(config.side, config.classes, config.separation);
  }
  const bool idx = config.data == Data::Idx;
  ImageSet training = idx ? read_idx(train[0], train[1]) : read_cifar10(train);
  return std::make_shared<LabelledImages>(std::move(training), idx ? read_idx(test[0], test[1]) : read_cifar10(test));
}

std::vector<LinearShape> classification_shapes(const ClassificationConfig& config, const LabelledSource& source,
                                               int layers, std::int64_t width, std::int64_t batch) {
  if (config.net == Net::Mlp) return mlp_shapes(batch, source.shape().size(), layers, width, source.classes());
  return convnet_shapes(batch, source.shape(), layers, width, source.classes());
}

ClassificationTask::ClassificationTask(const ClassificationConfig& config, const LabelledSource& source,
                                       std::vector<LinearShape> shapes, LayerPlan plan, int batch,
                                       std::int64_t eval_images, std::uint64_t seed)
    : source_(source),
      eval_images_(std::min(eval_images, source.held_out_count())),
      seed_(seed),
      x_(batch, source.shape().size()),
      labels_(static_cast<std::size_t>(batch)) {
  if (config.net == Net::Mlp) {
    model_ = std::make_unique<Mlp<float>>(std::move(shapes), config.activation, Bias::Learned, std::move(plan), seed);
  } else {
    model_ =
        std::make_unique<ConvNet<float>>(std::move(shapes), source.shape(), config.activation, std::move(plan), seed);
  }
}

double ClassificationTask::forward(std::int64_t step) {
  source_.draw_training(seed_, step, x_.view(), labels_);
  probabilities_ = model_->forward(x_.view(), static_cast<std::uint32_t>(step));
  return cross_entropy_forward<float>(probabilities_, labels_) / static_cast<double>(x_.rows());
}

void ClassificationTask::backward(float loss_scale) {
  cross_entropy_backward<float>(probabilities_, labels_, loss_scale / static_cast<float>(x_.rows()));
  model_->backward(probabilities_);
}

Evaluation ClassificationTask::evaluate(std::int64_t step) {
  double loss = 0;
  std::int64_t errors = 0;
  for (std::int64_t first = 0; first < eval_images_; first += x_.rows()) {
    const std::int64_t rows = std::min(x_.rows(), eval_images_ - first);
    const std::span<std::uint16_t> labels(labels_.data(), static_cast<std::size_t>(rows));
    const MatrixView<float> x = x_.view().middle_rows(0, rows);
    source_.draw_held_out(first, x, labels);
    const MatrixView<float> y = model_->forward(x, static_cast<std::uint32_t>(step + first / x_.rows()));
    loss += cross_entropy_forward<float>(y, labels);
    errors += wrong(y, labels);
  }
  const auto all = static_cast<double>(eval_images_);
  return {.loss = loss / all, .error = static_cast<double>(errors) / all};
}

}  // namespace bitlaw
