#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace bitlaw {

/// eta_0 .. eta_T: the learning rate of every step.
using Schedule = std::vector<double>;

/// Shapes after a linear warm-up from 0 at step 0 to the peak at step warmup - 1.
enum class ScheduleShape {
  Constant,  ///< the peak
  Cosine,  ///< end + (peak - end) (1 + cos(pi x)) / 2, x from 0 after the warm-up to 1 at `length`, from there the end
  Linear,  ///< the peak up to `decay_from`, then a line to the end
  OneMinusSqrt,  ///< the peak up to `decay_from`, then end + (peak - end) (1 - sqrt x), x from 0 to 1
                 ///< (arXiv:2405.18392)
  Exponential,   ///< the peak up to `decay_from`, then geometrically to the end
  TwoStage,      ///< the peak up to `decay_from`, then the end
};

struct ScheduleSpec {
  ScheduleShape shape = ScheduleShape::Constant;
  double peak = 1, end = 0;
  int warmup = 0;      ///< steps
  int decay_from = 0;  ///< step; all but Constant and Cosine
  int length = 0;      ///< step at which a Cosine has come to its end, beyond the last step too; 0: the last
  int steps = 0;       ///< the last step T
};

/// eta_0 .. eta_steps.
Schedule make_schedule(const ScheduleSpec& spec);

/// How the warm-up enters the sums of a learning-rate law.
enum class Warmup {
  AsPeak,    ///< as if its rates were the peak: Tissue et al.'s own script
  RealRamp,  ///< as it is in both sums: rises count against the gain
  AreaOnly,  ///< as it is in S1; its rises left out of S2
};

/// S1 and S2 of every step, [T + 1] each.
struct LearningRateSums {
  std::vector<double> s1, s2;
};

/// S1(s) = sum_{i<=s} eta_i;  S2(s) = sum_{i<=s} m_i, m_i = lambda m_{i-1} + (eta_{i-1} - eta_i), m_0 = 0.
/// Tissue et al. 2024, arXiv:2408.11029, Eq. 1, step 0 counted in S1. The warm-up ends with the first largest rate.
LearningRateSums learning_rate_sums(const Schedule& schedule, double lambda, Warmup warmup);

/// The sums of training that was continued with other data: of the steps up to `transition` and of those behind it,
/// whose decay starts anew. Each stays what it was where the other grows. Wang et al. 2025, arXiv:2505.07796, Eq. 4.
struct ContinuedSums {
  LearningRateSums first, second;  ///< [T + 1] each
};
ContinuedSums continued_sums(const Schedule& schedule, std::size_t transition, double lambda, Warmup warmup);

}  // namespace bitlaw
