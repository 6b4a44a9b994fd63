#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/record/run_record.h"

namespace bitlaw {

/// Everything that the rest of a run depends on. Batches and random bits are functions of the step, so they need none.
struct TrainState {
  std::int64_t step = 0;  ///< steps done
  std::vector<float> parameters, first_moment, second_moment;
  double tail_loss = 0;         ///< sum of the training losses of the last tenth of the steps so far
  std::int64_t tail_steps = 0;  ///< how many
  double wall_seconds = 0;
  std::vector<CurvePoint> curve;
};

/// Saves in the safetensors layout: 8 bytes little-endian header length, JSON header, raw float32 tensors. The file is
/// replaced in one step, so a kill leaves the old checkpoint or the new one. `identity` names the run.
void save_checkpoint(const std::filesystem::path& path, const std::string& identity, const TrainState& state);

/// The state saved at `path`; nothing when there is no file. InputError when the file is damaged or of another run.
std::optional<TrainState> load_checkpoint(const std::filesystem::path& path, const std::string& identity);

/// One word for a training state's bits: fingerprint of step, parameters and moments.
std::string state_hash(const TrainState& state);

}  // namespace bitlaw
