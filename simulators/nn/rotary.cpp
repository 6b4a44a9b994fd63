#include "simulators/nn/rotary.h"

#include <cmath>

#include "core/base/team.h"

namespace bitlaw {

template <typename T>
Rotary<T>::Rotary(std::int64_t context, std::int64_t head_width, double base)
    : context_(context), half_(head_width / 2), cos_(context, half_), sin_(context, half_) {
  BITLAW_CHECK(head_width % 2 == 0, "head width {}", head_width);
  for (std::int64_t t = 0; t < context; ++t) {
    for (std::int64_t i = 0; i < half_; ++i) {
      const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(head_width);
      const double angle = static_cast<double>(t) * std::pow(base, exponent);
      cos_(t, i) = static_cast<T>(std::cos(angle));
      sin_(t, i) = static_cast<T>(std::sin(angle));
    }
  }
}

template <typename T>
void Rotary<T>::turn(MatrixView<T> x, T direction) const {
  BITLAW_CHECK(x.cols % (2 * half_) == 0, "x has {} columns, heads {}", x.cols, 2 * half_);
  team_parts(x.rows, kLeastRows, [=, this](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const T* cos = cos_.view().row(r % context_);
      const T* sin = sin_.view().row(r % context_);
      for (T* head = x.row(r); head != x.row(r) + x.cols; head += 2 * half_) {
        T* other = head + half_;
        for (std::int64_t i = 0; i < half_; ++i) {
          const T a = head[i], b = other[i], s = direction * sin[i];
          head[i] = a * cos[i] - b * s;
          other[i] = b * cos[i] + a * s;
        }
      }
    }
  });
}

template <typename T>
void Rotary<T>::forward(MatrixView<T> x) const {
  turn(x, T(1));
}

template <typename T>
void Rotary<T>::backward(MatrixView<T> dy) const {
  turn(dy, T(-1));
}

template class Rotary<float>;
template class Rotary<double>;

}  // namespace bitlaw
