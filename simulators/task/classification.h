#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "simulators/model/network.h"
#include "simulators/quantized/layer_plan.h"
#include "simulators/task/labelled_source.h"
#include "simulators/task/task.h"
#include "simulators/task/task_config.h"

namespace bitlaw {

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
  void observe(LinearObserver* observer) override { model_->observe(observer); }
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
