#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "core/base/check.h"

namespace bitlaw {

/// Which axis of a matrix [rows, cols] is K, the one that a product sums over and that blocks and rotations run along.
enum class KAxis : std::uint8_t {
  Cols,  ///< along a row (contiguous)
  Rows,  ///< along a column
};

/// A row-major window on memory that someone else owns: element (i, j) lies at data[i * stride + j].
template <typename T>
struct MatrixView {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::int64_t stride = 0;  ///< elements from one row to the next, >= cols

  MatrixView() = default;
  MatrixView(T* d, std::int64_t r, std::int64_t c) : MatrixView(d, r, c, c) {}
  MatrixView(T* d, std::int64_t r, std::int64_t c, std::int64_t s) : data(d), rows(r), cols(c), stride(s) {}
  /// A view that writes is also one that reads.
  operator MatrixView<const T>() const requires(!std::is_const_v<T>) { return {data, rows, cols, stride}; }

  T* row(std::int64_t i) const { return data + i * stride; }
  T& operator()(std::int64_t i, std::int64_t j) const { return data[i * stride + j]; }
  std::int64_t size() const { return rows * cols; }
  MatrixView columns(std::int64_t first, std::int64_t count) const {
    BITLAW_CHECK(first >= 0 && count >= 0 && first + count <= cols, "columns {}+{} of {}", first, count, cols);
    return {data + first, rows, count, stride};
  }
  MatrixView middle_rows(std::int64_t first, std::int64_t count) const {
    BITLAW_CHECK(first >= 0 && count >= 0 && first + count <= rows, "rows {}+{} of {}", first, count, rows);
    return {data + first * stride, count, cols, stride};
  }
};

template <typename T>
using ConstMatrixView = MatrixView<const T>;

/// A row-major matrix that owns its memory, zero-initialised.
template <typename T>
class Matrix {
 public:
  Matrix() = default;
  Matrix(std::int64_t rows, std::int64_t cols)
      : rows_(rows), cols_(cols), values_(static_cast<std::size_t>(rows * cols)) {}

  /// Changes the shape; the content is unspecified afterwards. The memory grows where it must and never shrinks, so
  /// shapes that take turns in it cost nothing.
  void resize(std::int64_t rows, std::int64_t cols) {
    rows_ = rows;
    cols_ = cols;
    if (const auto needed = static_cast<std::size_t>(size()); values_.size() < needed) values_.resize(needed);
  }

  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  std::int64_t size() const { return rows_ * cols_; }
  T* data() { return values_.data(); }
  const T* data() const { return values_.data(); }
  T& operator()(std::int64_t i, std::int64_t j) { return values_[static_cast<std::size_t>(i * cols_ + j)]; }
  const T& operator()(std::int64_t i, std::int64_t j) const { return values_[static_cast<std::size_t>(i * cols_ + j)]; }
  std::span<T> values() { return {data(), static_cast<std::size_t>(size())}; }
  MatrixView<T> view() { return {data(), rows_, cols_}; }
  MatrixView<const T> view() const { return {data(), rows_, cols_}; }

 private:
  std::int64_t rows_ = 0;
  std::int64_t cols_ = 0;
  std::vector<T> values_;
};

}  // namespace bitlaw
