#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulators/task/corpus.h"
#include "simulators/task/labelled_source.h"
#include "simulators/task/task.h"
#include "simulators/train/train_config.h"

namespace bitlaw {

/// The data of a run, which equal runs share. A task uses one member, or none where it draws fresh samples.
struct TaskData {
  std::shared_ptr<const Corpus> corpus;            ///< LanguageModel
  std::shared_ptr<const LabelledSource> labelled;  ///< Classification, and a Diffusion of images
  std::string fingerprint;                         ///< of the content of files; empty where there are none
};

/// Whether the run's data are images, those that config.classification names.
bool has_images(const TrainConfig& config);

/// InputError, naming the file and the remedy, when the data of the run cannot be had.
TaskData load_task_data(const TrainConfig& config);

/// The products of the run's model, in the order of its LayerPlan.
///
/// model.layers are the blocks of the transformer, the hidden layers of a perceptron, the stages of a convolution net;
/// model.width is their size (a convolution net's first stage) and the number of features of a regression.
std::vector<LinearShape> linear_shapes(const TrainConfig& config, const TaskData& data);

/// What laws take from a run.
struct TaskCounts {
  std::int64_t params = 0;        ///< N, without embedding and head; a regression has neither
  std::int64_t params_total = 0;  ///< with them
  double training_flops = 0;      ///< of all matrix products in training; a multiply-add counts 2
};
TaskCounts task_counts(const TrainConfig& config, const TaskData& data);

/// N where the configuration alone says it: not for a perceptron on images from files, whose size is theirs.
std::optional<std::int64_t> params_without_data(const TrainConfig& config);

/// `data` outlives the task.
std::unique_ptr<Task> make_task(const TrainConfig& config, const TaskData& data);

}  // namespace bitlaw
