#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/record/statistics_record.h"

namespace bitlaw {

/// A configuration value after resolution. Lists are stored as one string, e.g. "[32, 64]".
using ConfigValue = std::variant<bool, std::int64_t, double, std::string>;

/// One logged training step. Losses in nats per token (bytes for text: nats per byte), before the step's update.
struct CurvePoint {
  std::int64_t step = 0;
  std::int64_t tokens = 0;
  double train_loss = 0;
  double learning_rate = 0;
  double gradient_norm = 0;  ///< before clipping
  // Not in the files of earlier versions, which are read with these values.
  double s1 =
      std::numeric_limits<double>::quiet_NaN();  ///< sum of the learning rates up to this step, arXiv:2408.11029 Eq. 1
  double s2 = std::numeric_limits<double>::quiet_NaN();  ///< annealing area up to this step, lambda = 0.999, as
                                                         ///< trained: with the warmup
  double validation_loss = std::numeric_limits<double>::quiet_NaN();   ///< held out, before the update; NaN: not taken
  double validation_error = std::numeric_limits<double>::quiet_NaN();  ///< fraction misclassified; NaN: not taken
};

/// Values of RunRecord::block_size that are no sizes.
inline constexpr std::int64_t kUnquantizedBlock = 0;
inline constexpr std::int64_t kChannelBlock = -1;  ///< one scale per channel
inline constexpr std::int64_t kTensorBlock = -2;   ///< one scale per tensor

/// What a finished run leaves behind: where simulators and fitting meet. A diverged run is a result, too.
struct RunRecord {
  std::string run_id;             ///< fingerprint of the canonical resolved configuration
  std::string precision;          ///< name of the recipe, e.g. "float32", "mxfp4"
  std::int64_t params = 0;        ///< N, without embedding and head
  std::int64_t params_total = 0;  ///< with them
  std::int64_t tokens = 0;        ///< D, tokens seen in training: fewer than planned where `stopped` says why
  double flops = 0;               ///< of all matrix products in training, 2 per multiply-add
  int exponent_bits = 8;          ///< E of the narrowest format among the slots (float32: 8)
  int mantissa_bits = 23;         ///< M of the same (float32: 23)
  /// B or G: elements per scale along K of the same, or one of the three constants above.
  std::int64_t block_size = kUnquantizedBlock;
  std::uint64_t seed = 0;
  double loss = 0;                                          ///< final held-out loss [nat/token]; NaN when diverged
  double train_loss = 0;                                    ///< mean over the last tenth of the steps [nat/token]
  double error = std::numeric_limits<double>::quiet_NaN();  ///< fraction misclassified; NaN without classes
  bool diverged = false;
  std::string stopped;  ///< the rule that ended it early: "divergence", "plateau", "ceiling", "budget"; empty: none did
  double entropy_rate = 0;  ///< of a synthetic source [nat/token]; NaN when unknown
  std::string corpus_fingerprint;
  std::string
      state_hash;  ///< fingerprint of the final parameters, moments and step: the determinism contract in one word
  double wall_seconds = 0;  ///< measured, so not reproducible
  std::string timed_on;     ///< on what: processor and threads; empty: unknown
  std::vector<CurvePoint> curve;
  RunStatistics statistics;                   ///< where the run was asked for them
  std::map<std::string, ConfigValue> config;  ///< the whole resolved configuration by dotted key
};

}  // namespace bitlaw
