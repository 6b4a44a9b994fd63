#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/enum_name.h"

namespace bitlaw {

/// Learning rate over training, as a fraction of the peak. All but File start with a linear warmup. u runs from 0 to 1
/// over the part of training that is named, f is `final`.
enum class ScheduleKind : std::uint8_t {
  Constant,   ///< 1
  Cosine,     ///< f + (1 - f) (1 + cos(pi u)) / 2, u over all steps after warmup (Loshchilov & Hutter 2017)
  Linear,     ///< 1 + (f - 1) u, u over all steps after warmup
  Wsd,        ///< 1, then DecayShape over the last `decay` of training (warmup-stable-decay, arXiv:2404.06395)
  Cyclic,     ///< `cycles` times Cosine, each over an equal part (warm restarts, arXiv:1608.03983)
  MultiStep,  ///< `gamma`^n after n of the `milestones`
  Rewarmup,  ///< Cosine until `rewarm_at`, a line from f to `rewarm_peak` as long as the warmup, from there Cosine to f
  File,      ///< the line through `points`; before the first and after the last, their factors
};
inline constexpr std::array<EnumName<ScheduleKind>, 8> kScheduleKindNames{{{"constant", ScheduleKind::Constant},
                                                                           {"cosine", ScheduleKind::Cosine},
                                                                           {"linear", ScheduleKind::Linear},
                                                                           {"wsd", ScheduleKind::Wsd},
                                                                           {"cyclic", ScheduleKind::Cyclic},
                                                                           {"multi_step", ScheduleKind::MultiStep},
                                                                           {"rewarmup", ScheduleKind::Rewarmup},
                                                                           {"file", ScheduleKind::File}}};

/// The last part of Wsd.
enum class DecayShape : std::uint8_t {
  Linear,        ///< 1 + (f - 1) u
  Exponential,   ///< f^u, f > 0
  OneMinusSqrt,  ///< 1 + (f - 1) sqrt(u) (arXiv:2405.18392 §3)
};
inline constexpr std::array<EnumName<DecayShape>, 3> kDecayShapeNames{{{"linear", DecayShape::Linear},
                                                                       {"exponential", DecayShape::Exponential},
                                                                       {"one_minus_sqrt", DecayShape::OneMinusSqrt}}};

struct ScheduleConfig {
  ScheduleKind kind = ScheduleKind::Cosine;
  double warmup = 0.05;           ///< fraction of the steps
  std::int64_t warmup_steps = 0;  ///< in place of `warmup` where it is not 0: the same in runs of any length
  double decay = 0.2;             ///< fraction of the steps, Wsd only
  std::int64_t decay_steps = 0;   ///< in place of `decay` where it is not 0
  DecayShape decay_shape = DecayShape::Linear;
  double final = 0.1;  ///< of the peak
  int cycles = 4;
  std::vector<double> milestones{0.8, 0.9};  ///< fractions of the steps, ascending
  double gamma = 0.31622776601683794;        ///< sqrt(0.1): with the milestones above, the schedule of arXiv:2401.02954
  double rewarm_at = 0.5;                    ///< fraction of the steps
  double rewarm_peak = 1.0;                  ///< of the peak
  std::string file = {};                     ///< where `points` are from
  std::vector<std::pair<std::int64_t, double>> points = {};  ///< step and factor, steps ascending; File only
};

/// The factor for step 0 .. steps - 1. With w warmup steps: (step + 1) / w while step < w; afterwards the kind's curve,
/// which takes 1 at step w and `final` at the last step.
double schedule_factor(const ScheduleConfig& schedule, std::int64_t step, std::int64_t steps);

/// The areas of the annealing law (Tissue et al. 2024, arXiv:2408.11029, Eq. 1), of the learning rates eta_0, eta_1,
/// ... that were used, warmup included, and a step that loss scaling skips, which moves no parameter, left out:
///   s1 = sum_i eta_i,  s2 = sum_i m_i,  m_0 = 0,  m_i = lambda m_(i-1) + eta_(i-1) - eta_i,  lambda = 0.999.
struct AnnealingAreas {
  double s1 = 0, s2 = 0;
  double momentum = 0;   ///< m
  double last_rate = 0;  ///< eta of the last step
  bool started = false;

  void add(double rate);
};

}  // namespace bitlaw
