#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/block/block_storage.h"
#include "core/block/quantize_blocks.h"
#include "experiments/cli/quantize_job.h"

namespace bitlaw {
namespace {

/// The random numbers of the signs of rotations: those of elements are in slot 0.
constexpr std::uint16_t kSignsSlot = 1;

/// An array in the order of the file, whose last axis, K, is along the columns or, in Fortran order, the rows.
struct FileMatrix {
  std::int64_t rows = 0, cols = 0, k = 1;
  KAxis axis = KAxis::Cols;
};

FileMatrix matrix_of(const ArrayInfo& array) {
  FileMatrix matrix;
  if (!array.shape.empty()) matrix.k = array.shape.back();
  const std::int64_t count = array.count();
  if (count == 0) return matrix;
  matrix.axis = array.fortran_order ? KAxis::Rows : KAxis::Cols;
  matrix.cols = array.fortran_order ? count / matrix.k : matrix.k;
  matrix.rows = count / matrix.cols;
  return matrix;
}

/// Rows and columns that are in memory at a time.
struct PartSize {
  std::int64_t rows, cols;
};

/// The whole matrix where a scale may need it, or its codes are asked for; else as much as kQuantizePart allows: whole
/// rows, or of longer ones whole blocks and rotations.
PartSize part_size(const QuantizePlan& plan, const FileMatrix& matrix) {
  const BlockSpec& block = *plan.block;
  const bool in_rows = block.shape == BlockShape::AlongK || block.shape == BlockShape::Channel;
  if (matrix.axis == KAxis::Rows || block.tensor_target || !in_rows || plan.scales_out) {
    return {matrix.rows, matrix.cols};
  }
  if (matrix.cols <= kQuantizePart || block.shape != BlockShape::AlongK) {
    return {std::min(matrix.rows, std::max<std::int64_t>(1, kQuantizePart / matrix.cols)), matrix.cols};
  }
  const std::int64_t piece = std::lcm<std::int64_t>(block.size, plan.rotation ? plan.rotation->size : 1);
  return {1, std::max<std::int64_t>(1, kQuantizePart / piece) * piece};
}

void check_rotation(const QuantizePlan& plan, const FileMatrix& matrix) {
  if (!plan.rotation || matrix.k % plan.rotation->size == 0) return;
  throw InputError(
      fmt::format("--rotate {}: the last axis of {} has {} numbers, so the last rotation would be too short; choose a "
                  "power of two that divides them",
                  plan.rotation->size, plan.in.to_string(), matrix.k));
}

void write_bytes(const ArrayPlace& place, std::span<const std::uint8_t> bytes, std::vector<std::int64_t> shape,
                 const hdf5::TextAttributes& attributes) {
  const ArrayInfo array{.type = NumberType::UInt8, .fortran_order = false, .shape = std::move(shape)};
  write_atomically(place.file, [&](const std::filesystem::path& temporary) {
    ArrayWriter writer(place, temporary, array, attributes);
    writer.write(std::as_bytes(bytes));
    writer.finish();
  });
}

/// Writes the codes, where asked, and the scales of the whole matrix.
StoredBlocks store(const QuantizePlan& plan, const FileMatrix& matrix, ConstMatrixView<float> x) {
  const BlockStorage storage =
      pack_blocks(*plan.block, plan.conversion.rounding, matrix.axis, x, RandomStream{.seed = plan.seed});
  const auto attributes = [&](const char* content) {
    hdf5::TextAttributes all = attributes_of(plan, content);
    if (storage.tensor_scale) all.emplace_back("bitlaw_tensor_scale", fmt::format("{}", *storage.tensor_scale));
    return all;
  };
  if (plan.codes_out) {
    const auto bytes = static_cast<std::int64_t>(storage.codes.size());
    write_bytes(*plan.codes_out, storage.codes, {bytes}, attributes("block codes"));
  }
  std::vector<std::int64_t> shape{storage.grid.down(), storage.grid.across()};
  if (scale_bytes(*plan.block) > 1) shape.push_back(scale_bytes(*plan.block));
  write_bytes(*plan.scales_out, storage.scales, shape, attributes("block scales"));
  return {.bits_per_element = bits_per_element(*plan.block, matrix.axis, matrix.rows, matrix.cols),
          .tensor_scale = storage.tensor_scale};
}

}  // namespace

std::optional<StoredBlocks> convert_blocks(const QuantizeJob& job) {
  const QuantizePlan& plan = job.plan;
  const FileMatrix whole = matrix_of(job.reader.info());
  check_rotation(plan, whole);
  const PartSize part = part_size(plan, whole);
  std::optional<StoredBlocks> stored;
  std::vector<float> x, q;
  const std::int64_t count = whole.rows * whole.cols;
  for (std::int64_t first = 0; first < count;) {
    const std::int64_t row = first / whole.cols, col = first % whole.cols;
    const std::int64_t height = std::min(part.rows, whole.rows - row), width = std::min(part.cols, whole.cols - col);
    x.resize(static_cast<std::size_t>(height * width));
    q.resize(x.size());
    job.reader.read(std::as_writable_bytes(std::span(x)));
    const MatrixView<float> matrix(x.data(), height, width);
    if (plan.rotation) {
      hadamard_rotate(*plan.rotation, whole.axis, matrix, matrix, {.seed = plan.seed, .slot = kSignsSlot});
    }
    quantize_blocks(*plan.block, plan.conversion.rounding, whole.axis, matrix,
                    MatrixView<float>(q.data(), height, width), RandomStream{.seed = plan.seed},
                    static_cast<std::uint64_t>(first));
    job.writer.write(std::as_bytes(std::span(q)));
    // The range is that of each block, counted apart.
    job.statistics.add<float>(x, q, -INFINITY, INFINITY);
    job.statistics.clipped += clipped_in_blocks(*plan.block, whole.axis, matrix);
    first += height * width;
    job.report(first);
    if (plan.scales_out) stored = store(plan, whole, matrix);
  }
  return stored;
}

}  // namespace bitlaw
