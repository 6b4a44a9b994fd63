#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/enum_name.h"
#include "simulators/model/network.h"
#include "simulators/nn/activation.h"
#include "simulators/quantized/layer_plan.h"
#include "simulators/task/labelled_source.h"
#include "simulators/task/task.h"

namespace bitlaw {

/// Which images are told apart, and by what kind of network.
struct ClassificationConfig {
  enum class Data : std::uint8_t {
    Idx,       ///< images and labels in IDX files; by default Fashion-MNIST of the package dataset-fashion-mnist
    Cifar10,   ///< CIFAR-10's binary files
    Gaussian,  ///< generated classes whose least error is known
  };
  enum class Net : std::uint8_t {
    Mlp,
    Convnet
  };
  Data data = Data::Idx;
  /// Idx: images, labels. Cifar10: any number of files.
  std::vector<std::string> train_files{"/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz",
                                       "/usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz"};
  std::vector<std::string> test_files{"/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz",
                                      "/usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz"};
  int side = 8;           ///< Gaussian: of the images, a power of two
  int classes = 10;       ///< Gaussian: fewer than side^2
  double separation = 4;  ///< Gaussian: distance between two means in standard deviations
  Net net = Net::Convnet;
  Activation activation = Activation::Relu;
};
inline constexpr std::array<EnumName<ClassificationConfig::Data>, 3> kClassificationDataNames{
    {{"idx", ClassificationConfig::Data::Idx},
     {"cifar10", ClassificationConfig::Data::Cifar10},
     {"gaussian", ClassificationConfig::Data::Gaussian}}};
inline constexpr std::array<EnumName<ClassificationConfig::Net>, 2> kClassificationNetNames{
    {{"mlp", ClassificationConfig::Net::Mlp}, {"convnet", ClassificationConfig::Net::Convnet}}};

/// InputError, naming the file and the remedy, when the images cannot be had.
std::shared_ptr<const LabelledSource> load_labelled(const ClassificationConfig& config);

/// The products of a net of `layers` hidden layers or stages.
std::vector<LinearShape> classification_shapes(const ClassificationConfig& config, const LabelledSource& source,
                                               int layers, std::int64_t width, std::int64_t batch);

/// Tells the classes of images apart; loss is the cross entropy [nat/image], error the fraction told wrongly.
class ClassificationTask : public Task {
 public:
  /// `source` outlives the task; `shapes` are classification_shapes() and `plan` is for them. Losses are over the first
  /// eval_images held-out images, at most all.
  ClassificationTask(const ClassificationConfig& config, const LabelledSource& source, std::vector<LinearShape> shapes,
                     LayerPlan plan, int batch, std::int64_t eval_images, std::uint64_t seed);

  ParameterSet<float>& parameters() override { return model_->parameters(); }
  double forward(std::int64_t step) override;
  void backward(float loss_scale) override;
  Evaluation evaluate(std::int64_t step) override;

 private:
  const LabelledSource& source_;
  std::int64_t eval_images_;
  std::uint64_t seed_;
  std::unique_ptr<Network<float>> model_;
  Matrix<float> x_;                    ///< [batch, H W C]
  std::vector<std::uint16_t> labels_;  ///< [batch]
  MatrixView<float> probabilities_;    ///< [batch, classes], of the last forward pass
};

}  // namespace bitlaw
