#pragma once

#include <map>
#include <memory>
#include <string>

#include "experiments/sweep/run_draft.h"
#include "simulators/train/task_factory.h"

namespace bitlaw {

/// The data of an experiment's runs, each loaded once.
class DataShelf {
 public:
  /// The data of the run that `draft` describes and `config` resolves. InputError at the key that the
  /// blame falls on when they cannot be had.
  std::shared_ptr<const TaskData> get(const RunDraft& draft, const TrainConfig& config);

 private:
  std::map<std::string, std::shared_ptr<const TaskData>> shelf_;  ///< by what decides the data
};

}  // namespace bitlaw
