#include "experiments/sweep/key_rows.h"
#include "simulators/train/task_factory.h"

namespace bitlaw {
namespace {

using Data = ClassificationConfig::Data;

constexpr auto regresses = task_is<TaskKind::Regression>;
constexpr auto classifies = task_is<TaskKind::Classification>;
constexpr auto diffuses = task_is<TaskKind::Diffusion>;

bool has_other_task(const TrainConfig& c) { return c.task != TaskKind::LanguageModel; }
bool has_power_law(const TrainConfig& c) {
  return regresses(c) && c.regression.kind == RegressionConfig::Kind::PowerLaw;
}
bool reads_images(const TrainConfig& c) { return has_images(c) && c.classification.data != Data::Gaussian; }
bool generates_images(const TrainConfig& c) { return has_images(c) && c.classification.data == Data::Gaussian; }

/// The rows of a table of names as a vector.
template <typename Names>
auto rows(const Names& names) {
  return std::vector(names.begin(), names.end());
}

}  // namespace

std::vector<ConfigKey> task_keys() {
  return {
      choice<TaskKind>("task", rows(kTaskNames), BITLAW_MEMBER(task), has_other_task),
      choice<RegressionConfig::Kind>("regression.kind", rows(kRegressionKindNames), BITLAW_MEMBER(regression.kind),
                                     regresses),
      real("regression.alpha", 1e-3, 100, BITLAW_MEMBER(regression.alpha), has_power_law),
      real("regression.beta", 1e-3, 100, BITLAW_MEMBER(regression.beta), has_power_law),
      real("regression.noise", 0, 1e6, BITLAW_MEMBER(regression.noise), regresses),
      integer("regression.outputs", 1, kMaxInt, BITLAW_MEMBER(regression.outputs), regresses),
      choice<Data>("classification.data", rows(kClassificationDataNames), BITLAW_MEMBER(classification.data),
                   has_images),
      files("classification.train_files", BITLAW_MEMBER(classification.train_files), reads_images),
      files("classification.test_files", BITLAW_MEMBER(classification.test_files), reads_images),
      integer("classification.side", 2, 1024, BITLAW_MEMBER(classification.side), generates_images),
      integer("classification.classes", 2, 65535, BITLAW_MEMBER(classification.classes), generates_images),
      real("classification.separation", 0, 1e3, BITLAW_MEMBER(classification.separation), generates_images),
      choice<ClassificationConfig::Net>("classification.net", rows(kClassificationNetNames),
                                        BITLAW_MEMBER(classification.net), classifies),
      choice<Activation>("classification.activation", rows(kActivationNames), BITLAW_MEMBER(classification.activation),
                         classifies),
      choice<Density>("diffusion.density", rows(kDensityNames), BITLAW_MEMBER(diffusion.density), diffuses),
      choice<NoiseSchedule>("diffusion.schedule", rows(kNoiseScheduleNames), BITLAW_MEMBER(diffusion.schedule),
                            diffuses),
      integer("diffusion.times", 20, kMaxInt, BITLAW_MEMBER(diffusion.times), diffuses),
      choice<Activation>("diffusion.activation", rows(kActivationNames), BITLAW_MEMBER(diffusion.activation), diffuses),
  };
}

}  // namespace bitlaw
