#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/enum_name.h"
#include "simulators/nn/activation.h"
#include "simulators/task/density.h"
#include "simulators/task/noise_schedule.h"

namespace bitlaw {

/// What is trained for. Each has a configuration of its own below; the language model's are ModelConfig and CorpusSpec.
enum class TaskKind : std::uint8_t {
  LanguageModel,
  Regression,
  Classification,
  Diffusion
};
inline constexpr std::array<EnumName<TaskKind>, 4> kTaskNames{{{"language_model", TaskKind::LanguageModel},
                                                               {"regression", TaskKind::Regression},
                                                               {"classification", TaskKind::Classification},
                                                               {"diffusion", TaskKind::Diffusion}}};

/// Linear regression y = sum_i c_i z_i + noise on normal z_i, whose features are x_i = sqrt(lambda_i) z_i.
///
/// The model sees the first N features and is one linear layer [outputs, N] that starts at zero; its loss is half the
/// mean squared error over samples and outputs. c_i = +-sqrt(e_i) with a random sign for each output, the same for all
/// runs.
struct RegressionConfig {
  enum class Kind : std::uint8_t {
    Gaussian,  ///< lambda_i = 1, e_i = 1 / N: all that there is to learn is seen
    PowerLaw,  ///< lambda_i = i^-(1 + alpha), e_i = i^-(1 + beta), i = 1, 2, ... without end
  };
  Kind kind = Kind::PowerLaw;
  double alpha = 1;  ///< PowerLaw: decay of the spectrum, the capacity
  double beta = 1;   ///< PowerLaw: decay of the target, the source
  double noise = 0;  ///< standard deviation of the labels' noise
  int outputs = 1;
};
inline constexpr std::array<EnumName<RegressionConfig::Kind>, 2> kRegressionKindNames{
    {{"gaussian", RegressionConfig::Kind::Gaussian}, {"power_law", RegressionConfig::Kind::PowerLaw}}};

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

/// Denoising of points in the plane or of images, which ClassificationConfig's data name.
struct DiffusionConfig {
  Density density = Density::Mixture;
  NoiseSchedule schedule = NoiseSchedule::Cosine;
  int times = 100;  ///< T
  Activation activation = Activation::Silu;
};

}  // namespace bitlaw
