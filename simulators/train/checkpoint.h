#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/record/run_record.h"
#include "simulators/optim/optimizer.h"
#include "simulators/optim/schedule.h"

namespace bitlaw {

/// The factor on the loss and what decides its next value.
struct LossScaleState {
  double scale = 1;
  std::int64_t good_steps = 0;     ///< since the last change
  std::int64_t skipped_steps = 0;  ///< of the whole run
};

/// A parameter's name and shape, in the order of TrainState::parameters.
struct ParameterShape {
  std::string name;
  std::int64_t rows = 0, cols = 0;

  friend bool operator==(const ParameterShape&, const ParameterShape&) = default;
};

/// Everything that the rest of a run depends on. Batches and random bits are functions of the step, so they need none.
struct TrainState {
  std::int64_t step = 0;  ///< steps done
  std::vector<float> parameters;
  std::vector<ParameterShape> layout;  ///< of parameters
  OptimizerKind optimizer_kind = OptimizerKind::AdamW;
  std::vector<StateTensor> optimizer;
  DelayedScales::State amax;  ///< of operands whose scaling is delayed
  LossScaleState loss_scale;
  AnnealingAreas areas;
  double tail_loss = 0;         ///< sum of the training losses of the last tenth of the steps so far
  std::int64_t tail_steps = 0;  ///< how many
  double wall_seconds = 0;
  std::vector<CurvePoint> curve;
  RunStatistics statistics;
};

/// Saves in the safetensors layout: 8 bytes little-endian header length, JSON header, raw float32 tensors: the
/// parameters by shape and name behind "parameters.", those of the optimizer by name, the largest magnitudes of earlier
/// steps by operand behind "amax.". The file is replaced in one
/// step, so a kill leaves the old checkpoint or the new one. `identity` names the run.
void save_checkpoint(const std::filesystem::path& path, const std::string& identity, const TrainState& state);

/// The state saved at `path`; nothing when there is no file. DamagedFile when it cannot be continued from: damaged, of
/// another run or of an earlier version.
std::optional<TrainState> load_checkpoint(const std::filesystem::path& path, const std::string& identity);

/// The state that any run saved at `path`, to start another one from. InputError when there is no such file or it is
/// damaged.
TrainState load_start(const std::filesystem::path& path);

/// One word for what a run can take from a state: all of it but the time that it took.
std::string content_fingerprint(const TrainState& state);

/// One word for a training state's bits: fingerprint of step, parameters, the optimizer's tensors
/// and the largest magnitudes of earlier steps.
std::string state_hash(const TrainState& state);

}  // namespace bitlaw
