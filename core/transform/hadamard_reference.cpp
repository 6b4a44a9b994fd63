#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <vector>

#include "core/base/check.h"
#include "core/format/quantize.h"
#include "core/transform/hadamard.h"

namespace bitlaw {
namespace {

/// Calls transform(piece) with a copy of each piece of x, and writes the results to out.
template <typename Transform>
void for_each_piece(const HadamardSpec& spec, KAxis k_axis, ConstMatrixView<float> x, MatrixView<float> out,
                    Transform transform) {
  hadamard_detail::check(spec, k_axis, x, out);
  const bool along_cols = k_axis == KAxis::Cols;
  const std::int64_t extent = along_cols ? x.cols : x.rows;
  const std::int64_t lines = along_cols ? x.rows : x.cols;
  std::vector<float> piece(static_cast<std::size_t>(spec.size));
  for (std::int64_t line = 0; line < lines; ++line) {
    for (std::int64_t first = 0; first < extent; first += spec.size) {
      for (int e = 0; e < spec.size; ++e) {
        piece[static_cast<std::size_t>(e)] = along_cols ? x(line, first + e) : x(first + e, line);
      }
      transform(piece);
      for (int e = 0; e < spec.size; ++e) {
        (along_cols ? out(line, first + e) : out(first + e, line)) = piece[static_cast<std::size_t>(e)];
      }
    }
  }
}

void multiply(std::span<float> piece, std::span<const float> factors) {
  for (std::size_t e = 0; e < piece.size(); ++e) piece[e] *= factors[e];
}

void multiply_hadamard(const HadamardSpec& spec, std::span<float> piece) {
  for (std::size_t h = 1; h < piece.size(); h *= 2) {
    for (std::size_t e = 0; e < piece.size(); ++e) {
      if ((e & h) != 0) continue;
      const float a = piece[e];
      const float b = piece[e + h];
      piece[e] = a + b;
      piece[e + h] = a - b;
    }
  }
  for (float& value : piece) value *= hadamard_detail::factor_of(spec);
}

void round_result(const HadamardSpec& spec, std::span<float> piece) {
  if (spec.result) quantize_reference(*spec.result, {Rounding(), Overflow::ByDirection}, piece, piece);
}

}  // namespace

bool HadamardSpec::is_valid() const {
  if (size < 1 || size > (1 << 16) || !std::has_single_bit(static_cast<unsigned>(size))) return false;
  if (signs != HadamardSigns::Fixed) return fixed.empty();
  return fixed.size() == static_cast<std::size_t>(size) &&
         std::all_of(fixed.begin(), fixed.end(), [](int sign) { return sign == 1 || sign == -1; });
}

namespace hadamard_detail {

std::vector<float> signs_of(const HadamardSpec& spec, const RandomStream& stream) {
  if (spec.signs == HadamardSigns::Fixed) return {spec.fixed.begin(), spec.fixed.end()};
  std::vector<float> signs(static_cast<std::size_t>(spec.size), 1.0F);
  if (spec.signs == HadamardSigns::Random) {
    for (std::size_t e = 0; e < signs.size(); ++e) {
      if (random_bits(stream, e) >> 31 != 0) signs[e] = -1;
    }
  }
  return signs;
}

float factor_of(const HadamardSpec& spec) {
  return spec.orthonormal ? static_cast<float>(1 / std::sqrt(static_cast<double>(spec.size))) : 1.0F;
}

void check(const HadamardSpec& spec, KAxis k_axis, ConstMatrixView<float> x, ConstMatrixView<float> out) {
  BITLAW_CHECK(x.rows == out.rows && x.cols == out.cols, "x [{}, {}] into out [{}, {}]", x.rows, x.cols, out.rows,
               out.cols);
  BITLAW_CHECK(spec.is_valid(), "rotation of size {} with {} fixed signs", spec.size, spec.fixed.size());
  const std::int64_t extent = k_axis == KAxis::Cols ? x.cols : x.rows;
  BITLAW_CHECK(extent % spec.size == 0, "rotation of size {} along {} elements", spec.size, extent);
}

}  // namespace hadamard_detail

void hadamard_rotate_reference(const HadamardSpec& spec, KAxis k_axis, ConstMatrixView<float> x, MatrixView<float> out,
                               const RandomStream& stream) {
  const std::vector<float> signs = hadamard_detail::signs_of(spec, stream);
  for_each_piece(spec, k_axis, x, out, [&](std::span<float> piece) {
    multiply(piece, signs);
    multiply_hadamard(spec, piece);
    round_result(spec, piece);
  });
}

void hadamard_unrotate_reference(const HadamardSpec& spec, KAxis k_axis, ConstMatrixView<float> x,
                                 MatrixView<float> out, const RandomStream& stream) {
  const std::vector<float> signs = hadamard_detail::signs_of(spec, stream);
  for_each_piece(spec, k_axis, x, out, [&](std::span<float> piece) {
    multiply_hadamard(spec, piece);
    multiply(piece, signs);
    round_result(spec, piece);
  });
}

}  // namespace bitlaw
