#include <bit>
#include <cmath>
#include <vector>

#include "core/base/check.h"
#include "core/transform/hadamard.h"

namespace bitlaw {
namespace {

bool is_negated(const RandomStream& stream, int element) {
  return random_bits(stream, static_cast<std::uint64_t>(element)) >> 31 != 0;
}

/// Calls visit(piece) with pointers to the elements of each piece.
template <typename Visit>
void for_each_piece(MatrixView<float> x, KAxis k_axis, int size, Visit visit) {
  const std::int64_t extent = k_axis == KAxis::Cols ? x.cols : x.rows;
  const std::int64_t lines = k_axis == KAxis::Cols ? x.rows : x.cols;
  BITLAW_CHECK(size > 0 && std::has_single_bit(static_cast<unsigned>(size)) && extent % size == 0,
               "rotation of size {} along {} elements", size, extent);
  std::vector<float*> piece(static_cast<std::size_t>(size));
  for (std::int64_t line = 0; line < lines; ++line) {
    for (std::int64_t first = 0; first < extent; first += size) {
      for (int e = 0; e < size; ++e) {
        piece[static_cast<std::size_t>(e)] = k_axis == KAxis::Cols ? &x(line, first + e) : &x(first + e, line);
      }
      visit(piece);
    }
  }
}

void flip_signs(const std::vector<float*>& piece, const RandomStream& stream) {
  for (std::size_t e = 0; e < piece.size(); ++e) {
    if (is_negated(stream, static_cast<int>(e))) *piece[e] = -*piece[e];
  }
}

void multiply_hadamard(const std::vector<float*>& piece) {
  for (std::size_t h = 1; h < piece.size(); h *= 2) {
    for (std::size_t e = 0; e < piece.size(); ++e) {
      if ((e & h) != 0) continue;
      const float a = *piece[e];
      const float b = *piece[e + h];
      *piece[e] = a + b;
      *piece[e + h] = a - b;
    }
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(piece.size())));
  for (float* value : piece) *value *= scale;
}

}  // namespace

void hadamard_rotate_reference(MatrixView<float> x, KAxis k_axis, int size, const RandomStream& stream) {
  for_each_piece(x, k_axis, size, [&](const std::vector<float*>& piece) {
    flip_signs(piece, stream);
    multiply_hadamard(piece);
  });
}

void hadamard_unrotate_reference(MatrixView<float> x, KAxis k_axis, int size, const RandomStream& stream) {
  for_each_piece(x, k_axis, size, [&](const std::vector<float*>& piece) {
    multiply_hadamard(piece);
    flip_signs(piece, stream);
  });
}

}  // namespace bitlaw
