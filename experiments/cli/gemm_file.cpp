#include "experiments/cli/gemm_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/record/array_file.h"
#include "core/tensor/accumulate_gemm.h"
#include "experiments/cli/output_files.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

struct Stopped {};

/// Multiply-adds between two looks at the signals, and the least rows at which packing b again costs little.
constexpr std::int64_t kPartProducts = std::int64_t{1} << 24;
constexpr std::int64_t kFastRows = 256;

ArrayPlace npy_place(const std::string& name, std::string_view flag) {
  ArrayPlace place = parse_array_place(name);
  if (place.kind == ArrayPlace::Kind::Npy) return place;
  throw InputError(fmt::format("{}{}: does not end in .npy, the kind of file that knows the shape of a matrix here; {}",
                               flag, name, flag.empty() ? "write it with numpy.save" : "choose such a name"));
}

std::unique_ptr<ArrayReader> open_matrix(const std::string& name) {
  std::unique_ptr<ArrayReader> reader = open_array(npy_place(name, ""), NumberType::Float32);
  const ArrayInfo& array = reader->info();
  if (array.type != NumberType::Float32) {
    throw InputError(
        fmt::format("{}: holds {}, but the models multiply float32, so its numbers would change unseen; convert it, in "
                    "NumPy with x.astype('float32')",
                    name, info(array.type).name));
  }
  if (array.shape.size() != 2) {
    throw InputError(
        fmt::format("{}: has shape [{}], which is not 2-D, so it is no matrix; reshape it, in NumPy with "
                    "x.reshape(rows, columns)",
                    name, fmt::join(array.shape, ", ")));
  }
  return reader;
}

/// The matrix, or its transpose.
Matrix<float> read_matrix(ArrayReader& reader, bool transposed) {
  const ArrayInfo& array = reader.info();
  const bool swapped = array.fortran_order;
  Matrix<float> stored(array.shape[swapped ? 1 : 0], array.shape[swapped ? 0 : 1]);
  reader.read(std::as_writable_bytes(std::span(stored.data(), static_cast<std::size_t>(stored.size()))));
  if (swapped == transposed) return stored;
  Matrix<float> result(stored.cols(), stored.rows());
  for (std::int64_t i = 0; i < result.rows(); ++i) {
    for (std::int64_t j = 0; j < result.cols(); ++j) result(i, j) = stored(j, i);
  }
  return result;
}

AccumulatorSpec accumulator_of(const GemmRequest& request) {
  if (request.accumulator) return parse_accumulator(*request.accumulator);
  std::vector<std::string_view> names;
  for (const AccumulatorEntry& entry : accumulator_catalog()) names.push_back(entry.name);
  throw InputError(
      fmt::format("--accumulator: is missing, so nothing says how the products are summed; use one of: {} "
                  "(bitlaw gemm --list tells what they are)",
                  fmt::join(names, ", ")));
}

ArrayPlace out_of(const GemmRequest& request) {
  ArrayPlace out = npy_place(request.out, "--out ");
  OutputFiles({request.a, request.b}).add("--out", request.out, out.file);
  return out;
}

/// c = a b^T in parts of rows; times the product alone.
void multiply(ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c, int threads,
              const ElementsDone& go_on, GemmReport& report) {
  using Clock = std::chrono::steady_clock;
  const std::int64_t least = is_accumulated_fast(report.accumulator, a, b) ? kFastRows : 1;
  const std::int64_t step = std::max(least, kPartProducts / std::max<std::int64_t>(1, b.size()));
  for (std::int64_t row = 0; row < c.rows; row += step) {
    const std::int64_t rows = std::min(step, c.rows - row);
    const auto part = a.middle_rows(row, rows);
    if (is_accumulated_fast(report.accumulator, part, b)) report.fast_rows += rows;
    const Clock::time_point start = Clock::now();
    gemm_accumulate(report.accumulator, part, b, c.middle_rows(row, rows), threads);
    report.seconds += std::chrono::duration<double>(Clock::now() - start).count();
    if (!go_on((row + rows) * c.cols, c.size())) throw Stopped();
  }
}

}  // namespace

double GemmReport::gflops() const {
  const double operations = 2.0 * static_cast<double>(m) * static_cast<double>(k) * static_cast<double>(n);
  return operations > 0 && seconds > 0 ? operations / seconds * 1e-9 : 0;
}

std::optional<GemmReport> gemm_file(const GemmRequest& request, const ElementsDone& go_on) {
  GemmReport report;
  report.accumulator = accumulator_of(request);
  const auto a_file = open_matrix(request.a), b_file = open_matrix(request.b);
  const auto &a_shape = a_file->info().shape, &b_shape = b_file->info().shape;
  const std::size_t inner = request.transpose_b ? 1 : 0;
  if (a_shape[1] != b_shape[inner]) {
    throw InputError(
        fmt::format("{}: has shape [{}], so its K is {}, but {} has shape [{}] with K = {}{}; K must be equal, A is "
                    "[M, K] and B is {}",
                    request.a, fmt::join(a_shape, ", "), a_shape[1], request.b, fmt::join(b_shape, ", "),
                    b_shape[inner], request.transpose_b ? " under --transpose-b" : "",
                    request.transpose_b ? "[N, K]" : "[K, N], or [N, K] with --transpose-b"));
  }
  const ArrayPlace out = out_of(request);
  report.m = a_shape[0], report.k = a_shape[1], report.n = b_shape[1 - inner];
  const ArrayInfo c_array{.type = NumberType::Float32, .shape = {report.m, report.n}};
  try {
    write_atomically(out.file, [&](const fs::path& temporary) {
      ArrayWriter writer(out, temporary, c_array, {});
      const Matrix<float> a = read_matrix(*a_file, false), b = read_matrix(*b_file, !request.transpose_b);
      Matrix<float> c(report.m, report.n);
      multiply(a.view(), b.view(), c.view(), request.threads, go_on, report);
      report.error = product_error(a.view(), b.view(), c.view(), request.threads);
      writer.write(std::as_bytes(std::span(c.data(), static_cast<std::size_t>(c.size()))));
      writer.finish();
    });
  } catch (const Stopped&) {
    return std::nullopt;
  }
  return report;
}

}  // namespace bitlaw
