#include "simulators/task/gaussian_classes.h"

#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/random/philox.h"
#include "simulators/task/normal.h"

namespace bitlaw {

GaussianClasses::GaussianClasses(int side, int classes, double separation)
    : side_(side), classes_(classes), height_(static_cast<float>(separation * std::numbers::sqrt2 / 2 / side)) {
  BITLAW_CHECK(std::has_single_bit(static_cast<unsigned>(side)) && classes < side * side, "side {}, {} classes", side,
               classes);
}

void GaussianClasses::draw(const RandomStream& pixels, const RandomStream& classes, MatrixView<float> x,
                           std::span<std::uint16_t> labels) const {
  BITLAW_CHECK(x.stride == x.cols && x.cols == shape().size() && labels.size() == static_cast<std::size_t>(x.rows),
               "x [{}, {}], {} labels", x.rows, x.cols, labels.size());
  fill_normal(pixels, {x.data, static_cast<std::size_t>(x.size())});
  for (std::size_t r = 0; r < labels.size(); ++r) {
    const std::uint64_t bits = random_bits(classes, r);
    labels[r] = static_cast<std::uint16_t>(bits * static_cast<std::uint64_t>(classes_) >> 32);
    float* row = x.row(static_cast<std::int64_t>(r));
    for (unsigned p = 0; p < static_cast<unsigned>(x.cols); ++p) {
      row[p] += std::popcount(p & (labels[r] + 1U)) % 2 == 0 ? height_ : -height_;
    }
  }
}

void GaussianClasses::draw_training(std::uint64_t seed, std::int64_t step, MatrixView<float> x,
                                    std::span<std::uint16_t> labels) const {
  draw(training_stream(seed, step, kFeatureSlot), training_stream(seed, step, kLabelSlot), x, labels);
}

void GaussianClasses::draw_held_out(std::int64_t first, MatrixView<float> x, std::span<std::uint16_t> labels) const {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    draw(held_out_stream(first + r, kFeatureSlot), held_out_stream(first + r, kLabelSlot), x.middle_rows(r, 1),
         labels.subspan(static_cast<std::size_t>(r), 1));
  }
}

std::int64_t GaussianClasses::held_out_count() const { return std::numeric_limits<std::uint32_t>::max(); }

double bayes_error(int classes, double separation) {
  // The trapezoidal rule is exact to double precision here: the integrand is analytic and ends at nothing.
  constexpr double kStep = 0.01, kReach = 10;
  const double a = separation / std::numbers::sqrt2;
  double error = 0;
  for (double t = -kReach; t < kReach; t += kStep) {
    const double density = std::exp(-t * t / 2) / std::sqrt(2 * std::numbers::pi);
    const double below = std::erfc(-(t + a) / std::numbers::sqrt2) / 2;  // Phi(t + a)
    error += kStep * density * (1 - std::pow(below, classes - 1));
  }
  return error;
}

}  // namespace bitlaw
