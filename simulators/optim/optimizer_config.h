#pragma once

#include <array>
#include <cstdint>

#include "core/base/enum_name.h"
#include "simulators/optim/storage_format.h"

namespace bitlaw {

/// What turns gradients into steps. g is the gradient after clipping of its global norm, t = 1, 2, ... the update.
enum class OptimizerKind : std::uint8_t {
  AdamW,       ///< Loshchilov & Hutter 2019, arXiv:1711.05101: adamw_update()
  Adam,        ///< Kingma & Ba 2015, arXiv:1412.6980, with L2: g + weight_decay p in place of g, no decoupled decay
  Sgd,         ///< Polyak's or Nesterov's momentum with L2: sgd_update()
  StableSpam,  ///< arXiv:2502.17055: calm_gradient(), then AdamW whose moments are reset every `reset_every` updates
  Muon,        ///< muon_update() for matrices, AdamW for vectors, "embedding" and "head"
};
inline constexpr std::array<EnumName<OptimizerKind>, 5> kOptimizerKindNames{{{"adamw", OptimizerKind::AdamW},
                                                                             {"adam", OptimizerKind::Adam},
                                                                             {"sgd", OptimizerKind::Sgd},
                                                                             {"stable_spam", OptimizerKind::StableSpam},
                                                                             {"muon", OptimizerKind::Muon}}};

/// By what Muon multiplies the orthogonalised momentum of a matrix [rows, cols].
enum class MuonScale : std::uint8_t {
  Adam,      ///< 0.2 sqrt(max(rows, cols)): the root mean square of AdamW's steps (arXiv:2502.16982, Eq. 4)
  Spectral,  ///< sqrt(max(1, rows / cols)) (Jordan et al. 2024, kellerjordan.github.io/posts/muon)
};
inline constexpr std::array<EnumName<MuonScale>, 2> kMuonScaleNames{
    {{"adam", MuonScale::Adam}, {"spectral", MuonScale::Spectral}}};

/// The constants of calm_gradient(), by their names in arXiv:2502.17055 Algorithm 1, and its values.
struct StableSpamConfig {
  double gamma1 = 0.7;              ///< decay of the gradient norm's mean
  double gamma2 = 0.9;              ///< of its mean square
  double gamma3 = 0.999;            ///< of the largest element
  std::int64_t reset_every = 1000;  ///< Delta T [updates]; 0: never
};

struct OptimizerConfig {
  OptimizerKind kind = OptimizerKind::AdamW;
  double learning_rate = 3e-3;  ///< peak
  double beta1 = 0.9;           ///< of Adam, also inside StableSpam and Muon
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;  ///< on matrices only
  double clip = 1.0;          ///< global gradient norm; 0: no clipping
  double momentum = 0.95;     ///< of Sgd and Muon
  bool nesterov = true;       ///< of Sgd and Muon
  MuonScale muon_scale = MuonScale::Adam;
  double adam_rate = 1.0;  ///< learning rate of Muon's AdamW part over that of its matrices
  StableSpamConfig stable_spam = {};
  double mean_decay = 0;  ///< b of the weights' mean m <- b m + (1 - b) w after each update, for slots that it guides;
                          ///< 0: none is kept
  StorageFormat weights = {}, moment1 = {},
                moment2 = {};  ///< master weights, and the means of g and g^2 or the momentum
};

}  // namespace bitlaw
