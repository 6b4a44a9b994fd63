#include "core/tensor/gemm.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "core/base/team.h"
#include "core/random/philox.h"
#include "tests/support/bits.h"
#include "tests/support/each_target.h"

using namespace bitlaw;

namespace {

struct Shape {
  std::int64_t m, n, k;
};

}  // namespace

TEST_CASE("gemm: a product worked out by hand") {
  // [1 2; 3 4] [5 6; 7 8] = [19 22; 43 50]
  Matrix<float> a(2, 2), b(2, 2), c(2, 2);
  for (int i = 0; i < 4; ++i) a.data()[i] = static_cast<float>(i + 1), b.data()[i] = static_cast<float>(i + 5);
  gemm(Op::AsIs, Op::AsIs, a.view(), b.view(), c.view());
  CHECK(c(0, 0) == 19.0F);
  CHECK(c(0, 1) == 22.0F);
  CHECK(c(1, 0) == 43.0F);
  CHECK(c(1, 1) == 50.0F);
  gemm(Op::Transposed, Op::AsIs, a.view(), b.view(), c.view(), Accumulate::Add);  // + [1 3; 2 4] [5 6; 7 8]
  CHECK(c(0, 0) == 19.0F + 26.0F);
  CHECK(c(1, 1) == 50.0F + 44.0F);
}

TEST_CASE("gemm: the sum runs over k in ascending order, fused") {
  // 2^24 + 1 - 2^24 is 0 in this order and 1 in any that adds the large terms first.
  Matrix<float> a(1, 3), b(3, 1), c(1, 1);
  a(0, 0) = 0x1p24F, a(0, 1) = 1.0F, a(0, 2) = -0x1p24F;
  for (int k = 0; k < 3; ++k) b(k, 0) = 1.0F;
  gemm(Op::AsIs, Op::AsIs, a.view(), b.view(), c.view());
  CHECK(c(0, 0) == 0.0F);
  // Fused: (1 + 2^-12)^2 - (1 + 2^-11) = 2^-24 exactly; a rounded product would lose it.
  Matrix<float> x(1, 2), y(2, 1);
  x(0, 0) = -1.0F - 0x1p-11F, y(0, 0) = 1.0F;
  x(0, 1) = 1.0F + 0x1p-12F, y(1, 0) = 1.0F + 0x1p-12F;
  gemm(Op::AsIs, Op::AsIs, x.view(), y.view(), c.view());
  CHECK(c(0, 0) == 0x1p-24F);
}

TEST_CASE("gemm: every instruction set gives the reference's bits, for every layout and ragged shape") {
  const std::vector<Shape> shapes{{1, 1, 1},      {6, 16, 8},   {7, 17, 9},    {5, 63, 31},
                                  {13, 65, 257},  {64, 64, 64}, {3, 530, 300}, {70, 300, 20},
                                  {31, 259, 513}, {5, 16, 300}, {7, 64, 300}};
  for (const Shape& shape : shapes) {
    for (const Op op_a : {Op::AsIs, Op::Transposed}) {
      for (const Op op_b : {Op::AsIs, Op::Transposed}) {
        for (const Accumulate accumulate : {Accumulate::Overwrite, Accumulate::Add}) {
          INFO("c [" << shape.m << ", " << shape.n << "], inner " << shape.k);
          const auto a = op_a == Op::AsIs ? rough_matrix(shape.m, shape.k, 1, 8) : rough_matrix(shape.k, shape.m, 1, 8);
          const auto b = op_b == Op::AsIs ? rough_matrix(shape.k, shape.n, 2, 8) : rough_matrix(shape.n, shape.k, 2, 8);
          const Matrix<float> before = rough_matrix(shape.m, shape.n, 3, 8);
          Matrix<float> slow = before;
          gemm_reference(op_a, op_b, a.view(), b.view(), slow.view(), accumulate);
          for_each_target([&](const char* target) {
            CAPTURE(target);
            Matrix<float> fast = before;
            gemm(op_a, op_b, a.view(), b.view(), fast.view(), accumulate);
            CHECK(same_bits(fast, slow));
          });
        }
      }
    }
  }
}

TEST_CASE("gemm: views with gaps between their rows are read and written in place") {
  const auto a = rough_matrix(20, 40, 4, 8), b = rough_matrix(30, 80, 5, 8);
  const auto a_part = a.view().columns(3, 24);
  for (const std::int64_t width : {35, 16, 32, 48, 64}) {  // whole vectors are not copied before
    CAPTURE(width);
    const auto b_part = b.view().middle_rows(2, 24).columns(7, width);
    Matrix<float> slow(20, 90);
    gemm_reference(Op::AsIs, Op::AsIs, a_part, b_part, slow.view().columns(11, width));
    for_each_target([&](const char* target) {
      CAPTURE(target);
      Matrix<float> fast(20, 90);
      gemm(Op::AsIs, Op::AsIs, a_part, b_part, fast.view().columns(11, width));
      CHECK(same_bits(fast, slow));
      CHECK(fast(0, 10) == 0.0F);
      CHECK(fast(0, 11 + width) == 0.0F);
    });
  }
}

TEST_CASE("gemm: the bits of the definition with any team of threads, parted by rows or by columns") {
  for (const Shape& shape : {Shape{301, 97, 67}, Shape{61, 403, 83}, Shape{130, 130, 300}}) {
    for (const Op op_a : {Op::AsIs, Op::Transposed}) {
      for (const Op op_b : {Op::AsIs, Op::Transposed}) {
        Matrix<float> a(op_a == Op::AsIs ? shape.m : shape.k, op_a == Op::AsIs ? shape.k : shape.m);
        Matrix<float> b(op_b == Op::AsIs ? shape.k : shape.n, op_b == Op::AsIs ? shape.n : shape.k);
        for (std::int64_t i = 0; i < a.size(); ++i)
          a.data()[i] = random_uniform({.seed = 1}, static_cast<std::uint64_t>(i)) - 0.5F;
        for (std::int64_t i = 0; i < b.size(); ++i)
          b.data()[i] = random_uniform({.seed = 2}, static_cast<std::uint64_t>(i)) - 0.5F;
        Matrix<float> expected(shape.m, shape.n);
        gemm_reference(op_a, op_b, a.view(), b.view(), expected.view());
        for (const int threads : {1, 2, 3}) {
          CAPTURE(threads);
          const TeamScope team(threads);
          Matrix<float> c(shape.m, shape.n);
          gemm(op_a, op_b, a.view(), b.view(), c.view());
          CHECK(std::equal(c.data(), c.data() + c.size(), expected.data()));
        }
      }
    }
  }
}

TEST_CASE("gemm_lower: on and below the diagonal, every instruction set gives the reference's bits") {
  for (const Shape& shape : {Shape{1, 1, 3}, Shape{6, 6, 16}, Shape{70, 70, 31}, Shape{130, 130, 300},
                             Shape{600, 600, 5}, Shape{20, 90, 8}, Shape{90, 20, 8}}) {
    for (const Op op_b : {Op::AsIs, Op::Transposed}) {
      INFO("c [" << shape.m << ", " << shape.n << "], inner " << shape.k);
      const auto a = rough_matrix(shape.m, shape.k, 1, 8);
      const auto b = op_b == Op::AsIs ? rough_matrix(shape.k, shape.n, 2, 8) : rough_matrix(shape.n, shape.k, 2, 8);
      const auto clear_above = [&](Matrix<float>& c) {
        for (std::int64_t i = 0; i < shape.m; ++i) {
          for (std::int64_t j = i + 1; j < shape.n; ++j) c(i, j) = 0;
        }
      };
      Matrix<float> slow(shape.m, shape.n);
      gemm_reference(Op::AsIs, op_b, a.view(), b.view(), slow.view());
      clear_above(slow);
      for_each_target([&](const char* target) {
        CAPTURE(target);
        Matrix<float> fast(shape.m, shape.n);
        gemm_lower(Op::AsIs, op_b, a.view(), b.view(), fast.view());
        clear_above(fast);
        CHECK(same_bits(fast, slow));
      });
    }
  }
}

TEST_CASE("gemm_of_lower: zeros above the diagonal left out, every instruction set gives the reference's bits") {
  for (const auto& [size, columns] :
       {std::pair{1, 1}, {6, 16}, {7, 70}, {65, 64}, {130, 32}, {300, 40}, {70, 300}, {520, 9}}) {
    Matrix<float> a = rough_matrix(size, size, 1, 8);
    for (std::int64_t i = 0; i < size; ++i) {
      for (std::int64_t k = i + 1; k < size; ++k) a(i, k) = (i + k) % 3 == 0 ? -0.0F : 0.0F;
    }
    const auto b = rough_matrix(size, columns, 2, 8);
    const Matrix<float> before = rough_matrix(size, columns, 3, 8);
    for (const Op op_a : {Op::AsIs, Op::Transposed}) {
      for (const Accumulate accumulate : {Accumulate::Overwrite, Accumulate::Add}) {
        INFO("a [" << a.rows() << ", " << a.rows() << "], " << b.cols() << " columns");
        Matrix<float> slow = before;
        gemm_reference(op_a, Op::AsIs, a.view(), b.view(), slow.view(), accumulate);
        for_each_target([&](const char* target) {
          CAPTURE(target);
          Matrix<float> fast = before;
          gemm_of_lower(op_a, Op::AsIs, a.view(), b.view(), fast.view(), accumulate);
          CHECK(same_bits(fast, slow));
        });
      }
    }
  }
}
