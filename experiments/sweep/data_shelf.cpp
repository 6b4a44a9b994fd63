#include "experiments/sweep/data_shelf.h"

#include "experiments/sweep/config_keys.h"

namespace bitlaw {
namespace {

std::string key_of(const TrainConfig& config) {
  static const std::vector<const ConfigKey*> rows = [] {
    std::vector<const ConfigKey*> of_data;
    for (const ConfigKey& row : config_keys()) {
      if (row.name.starts_with("corpus.") || row.name.starts_with("classification.")) of_data.push_back(&row);
    }
    return of_data;
  }();
  std::string key;
  for (const ConfigKey* row : rows) {
    if (row->used(config)) key += to_text(row->get(config)) + "\n";
  }
  return key;
}

/// The key that the blame falls on when data cannot be had.
std::string data_key(const TrainConfig& config) {
  if (has_images(config)) {
    return config.classification.data == ClassificationConfig::Data::Gaussian ? "classification.data"
                                                                              : "classification.train_files";
  }
  return config.corpus.kind == CorpusSpec::Kind::Synthetic ? "corpus.kind" : "corpus.files";
}

}  // namespace

std::shared_ptr<const TaskData> DataShelf::get(const RunDraft& draft, const TrainConfig& config) {
  const std::string key = key_of(config);
  if (const auto found = shelf_.find(key); found != shelf_.end()) return found->second;
  return at_place(draft.place(data_key(config)), [&] {
    return shelf_.emplace(key, std::make_shared<const TaskData>(load_task_data(config))).first->second;
  });
}

}  // namespace bitlaw
