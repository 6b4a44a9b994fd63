#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/enum_name.h"
#include "core/block/block_spec.h"

namespace bitlaw {

/// The function whose derivative stands for that of rounding, u -> q, on a grid of values. For u between the values lo
/// and hi of the grid, D = hi - lo and c = (lo + hi) / 2. Beyond the grid all but StraightThrough have derivative 0.
enum class Estimator : std::uint8_t {
  StraightThrough,  ///< u (Bengio et al. 2013, arXiv:1308.3432)
  Clipped,          ///< min(max(u, least), largest)
  TrustMask,        ///< u where |u - q| <= half the widest D, else constant (QuEST, arXiv:2502.05003, section 3.3)
  Power,    ///< c + D/2 sign(u - c) |2 (u - c) / D|^(1/p), derivative at most 3, p = 5 (arXiv:2501.17116, Eq. 8)
  Sigmoid,  ///< lo + D s(12 (u - c) / (D p)), s the logistic function, p = 0.5 (arXiv:2509.17791)
  Spline,   ///< linear between p equidistant points of the grid's range at which it is q, p = 40 (same)
};
inline constexpr std::array<EnumName<Estimator>, 6> kEstimatorNames{{{"straight_through", Estimator::StraightThrough},
                                                                     {"clipped", Estimator::Clipped},
                                                                     {"trust_mask", Estimator::TrustMask},
                                                                     {"power", Estimator::Power},
                                                                     {"sigmoid", Estimator::Sigmoid},
                                                                     {"spline", Estimator::Spline}}};

/// How the gradient reaches a block's elements through its scale S, which follows from the largest magnitude a.
enum class ScaleGradient : std::uint8_t {
  None,     ///< S counts as constant
  Absmax,   ///< da/dx_j = sign(x_j) at the (first) largest magnitude, 0 elsewhere
  Softmax,  ///< da/dx_j = sign(x_j) softmax(t |x| / a)_j, t = `sharpness`: that of a smooth maximum
};
inline constexpr std::array<EnumName<ScaleGradient>, 3> kScaleGradientNames{
    {{"none", ScaleGradient::None}, {"absmax", ScaleGradient::Absmax}, {"softmax", ScaleGradient::Softmax}}};

/// What stands for the derivative of a quantizer.
struct GradientSpec {
  Estimator estimator = Estimator::StraightThrough;
  double parameter = 0;  ///< p of Power, Sigmoid and Spline; 0: the published one
  ScaleGradient scale = ScaleGradient::None;
  double sharpness = 20;  ///< of Softmax

  friend bool operator==(const GradientSpec&, const GradientSpec&) = default;
};

/// An estimator on one grid.
class Surrogate {
 public:
  /// `grid`: the element's values, ascending, without repetition.
  Surrogate(const GradientSpec& gradient, std::vector<double> grid);

  /// The function itself, up to a constant for TrustMask, and for Power without the bound on its derivative.
  double value(double u) const;
  double derivative(double u) const;

 private:
  struct Bin {
    double low, high;
    double width() const { return high - low; }
    double centre() const { return 0.5 * (low + high); }
  };
  /// The values around u, which lies within the grid.
  Bin bin(double u) const;
  /// To nearest, ties to the smaller magnitude.
  double nearest(double u) const;
  double knot(std::int64_t index) const;

  Estimator estimator_;
  double parameter_;
  std::vector<double> grid_;
  double widest_ = 0;
};

/// The values of the element format or codebook of a block, ascending. At most 16 bits.
std::vector<double> element_grid(const BlockSpec& spec);

}  // namespace bitlaw
