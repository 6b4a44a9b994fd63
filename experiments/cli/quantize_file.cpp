#include "experiments/cli/quantize_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/build_info.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/block/quantize_blocks.h"
#include "core/format/encode.h"
#include "core/format/quantize.h"
#include "experiments/cli/format_values.h"

namespace bitlaw {
namespace {

struct Stopped {};

/// One run from the reader to the writer.
struct Job {
  const QuantizePlan& plan;
  ArrayReader& reader;
  ArrayWriter& writer;
  RoundingStatistics& statistics;
  const QuantizeProgress& go_on;

  RandomStream stream(std::int64_t part) const { return {.seed = plan.seed, .step = static_cast<std::uint32_t>(part)}; }
  void report(std::int64_t done) const {
    if (!go_on(done, reader.info().count())) throw Stopped();
  }
};

template <typename T>
std::vector<float> as_float32(std::span<const T> values) {
  std::vector<float> result;
  result.reserve(values.size());
  for (const T v : values) result.push_back(to_float(v));
  return result;
}

/// The finite range.
std::pair<double, double> range_of(const Element& format) {
  if (const auto* book = std::get_if<Codebook>(&format)) return {book->lowest(), book->max()};
  const auto& spec = std::get<FormatSpec>(format);
  return {spec.lowest(), spec.max_finite()};
}

bool has_nan(const Element& format) {
  const auto* spec = std::get_if<FormatSpec>(&format);
  return spec != nullptr && spec->has_nan();
}

template <typename T>
void add_statistics(const Job& job, std::span<const T> x, std::span<const T> q) {
  const auto [least, most] = range_of(job.plan.format);
  if constexpr (std::is_floating_point_v<T>) {
    job.statistics.add(x, q, least, most);
  } else {
    const auto x32 = as_float32(x), q32 = as_float32(q);
    job.statistics.add<float>(x32, q32, least, most);
  }
}

template <typename T>
bool is_nan(T v) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(v);
  } else {
    return std::isnan(to_float(v));
  }
}

/// A NaN that no code stands for.
template <typename T>
void refuse_nan(const QuantizePlan& plan, std::span<const T> x, std::int64_t first) {
  if (has_nan(plan.format) || plan.conversion.nan != NanPolicy::Propagate) return;
  const auto nan = std::find_if(x.begin(), x.end(), is_nan<T>);
  if (nan == x.end()) return;
  throw InputError(
      fmt::format("{}: element {} is NaN, of which {} has no code, so --codes cannot write it; add --nan "
                  "zero or --nan max",
                  plan.in.to_string(), first + (nan - x.begin()), plan.format_name));
}

/// Calls work with a zero of the least unsigned type for the codes of a format.
template <typename Work>
void with_code_type(const FormatSpec& spec, Work work) {
  const int bits = spec.total_bits();
  if (bits <= 8) {
    work(std::uint8_t{});
  } else if (bits <= 16) {
    work(std::uint16_t{});
  } else if (bits <= 32) {
    work(std::uint32_t{});
  } else {
    work(std::uint64_t{});
  }
}

template <typename Work>
void with_code_type(const Codebook&, Work work) {
  work(std::uint8_t{});
}

NumberType code_type(int bits) {
  return bits <= 8    ? NumberType::UInt8
         : bits <= 16 ? NumberType::UInt16
         : bits <= 32 ? NumberType::UInt32
                      : NumberType::UInt64;
}

/// Writes the rounded numbers or their codes. q: the rounded numbers, for the statistics. Format: FormatSpec or
/// Codebook.
template <typename T, typename Format>
void convert(const Job& job, const Format& format, std::span<const T> x, std::span<T> q, const RandomStream& stream) {
  const QuantizePlan& plan = job.plan;
  if (!plan.codes) {
    quantize(format, plan.conversion, x, q, stream, plan.threads);
    job.writer.write(std::as_bytes(q));
    return;
  }
  with_code_type(format, [&]<typename Code>(Code) {
    std::vector<Code> codes(x.size());
    encode(format, plan.conversion, x, std::span(codes), stream, plan.threads);
    decode(format, std::span<const Code>(codes), q, plan.threads);
    job.writer.write(std::as_bytes(std::span(codes)));
  });
}

template <typename T>
void convert(const Job& job, std::span<const T> x, std::span<T> q, const RandomStream& stream) {
  if constexpr (std::is_floating_point_v<T>) {
    if (const auto* book = std::get_if<Codebook>(&job.plan.format)) return convert(job, *book, x, q, stream);
  }
  convert(job, std::get<FormatSpec>(job.plan.format), x, q, stream);
}

template <typename T>
void convert_elements(const Job& job) {
  const std::int64_t count = job.reader.info().count();
  std::vector<T> x, q;
  for (std::int64_t first = 0; first < count; first += kQuantizePart) {
    const auto size = static_cast<std::size_t>(std::min(kQuantizePart, count - first));
    x.resize(size);
    q.resize(size);
    job.reader.read(std::as_writable_bytes(std::span(x)));
    if (job.plan.codes) refuse_nan<T>(job.plan, x, first);
    convert<T>(job, x, q, job.stream(first / kQuantizePart));
    add_statistics<T>(job, x, q);
    job.report(first + static_cast<std::int64_t>(size));
  }
}

/// The array as a matrix in the order of the file, with K, its last axis, along the columns or, in Fortran order, the
/// rows.
void convert_blocks(const Job& job) {
  const BlockSpec& block = *job.plan.block;
  const ArrayInfo& array = job.reader.info();
  const std::int64_t count = array.count(), k = array.shape.empty() ? 1 : array.shape.back();
  if (count == 0) return;
  const KAxis axis = array.fortran_order ? KAxis::Rows : KAxis::Cols;
  const std::int64_t cols = array.fortran_order ? count / k : k, rows = count / cols;
  const bool whole = array.fortran_order || block.tensor_target || block.shape == BlockShape::Tensor;
  const std::int64_t step = whole ? rows : std::max<std::int64_t>(1, kQuantizePart / cols);
  std::vector<float> x, q;
  for (std::int64_t row = 0; row < rows; row += step) {
    const std::int64_t height = std::min(step, rows - row);
    x.resize(static_cast<std::size_t>(height * cols));
    q.resize(x.size());
    job.reader.read(std::as_writable_bytes(std::span(x)));
    const ConstMatrixView<float> matrix(x.data(), height, cols);
    quantize_blocks(block, job.plan.conversion.rounding, axis, matrix, MatrixView<float>(q.data(), height, cols),
                    job.stream(row / step));
    job.writer.write(std::as_bytes(std::span(q)));
    // The range is that of each block, counted apart.
    job.statistics.add<float>(x, q, -INFINITY, INFINITY);
    job.statistics.clipped += clipped_in_blocks(block, axis, matrix);
    job.report((row + height) * cols);
  }
}

void convert(const Job& job) {
  if (job.plan.block) return convert_blocks(job);
  switch (job.reader.info().type) {
    case NumberType::Float16:
      return convert_elements<Float16>(job);
    case NumberType::BFloat16:
      return convert_elements<BFloat16>(job);
    case NumberType::Float64:
      return convert_elements<double>(job);
    default:
      return convert_elements<float>(job);
  }
}

/// Refuses types that would be rounded twice.
void check_type(const QuantizePlan& plan, NumberType type) {
  if (plan.block && type != NumberType::Float32) {
    throw InputError(
        fmt::format("{}: holds {}, but blocks are scaled in float32, so its numbers would be rounded twice; "
                    "convert it to float32 before",
                    plan.in.to_string(), info(type).name));
  }
  const bool half = type == NumberType::Float16 || type == NumberType::BFloat16;
  if (half && std::holds_alternative<Codebook>(plan.format)) {
    throw InputError(
        fmt::format("{}: holds {}, in which the values of {} are not exact, so its numbers would be rounded twice; "
                    "convert it to float32 before",
                    plan.in.to_string(), info(type).name, plan.format_name));
  }
}

hdf5::TextAttributes attributes_of(const QuantizePlan& plan) {
  return {{"bitlaw_format", plan.format_name},
          {"bitlaw_content", plan.codes ? "codes" : "values"},
          {"bitlaw_conversion", conversion_text(plan)},
          {"bitlaw_version", build_info().version}};
}

}  // namespace

std::optional<QuantizeReport> quantize_file(const QuantizePlan& plan, const QuantizeProgress& go_on) {
  const std::unique_ptr<ArrayReader> reader = open_array(plan.in, plan.raw_type);
  QuantizeReport report{.input = reader->info(), .output = reader->info(), .statistics = {}};
  check_type(plan, report.input.type);
  if (plan.codes) report.output.type = code_type(total_bits(plan.format));
  require_writable(plan.out, report.output);
  try {
    write_atomically(plan.out.file, [&](const std::filesystem::path& temporary) {
      ArrayWriter writer(plan.out, temporary, report.output, attributes_of(plan));
      convert(Job{plan, *reader, writer, report.statistics, go_on});
      writer.finish();
    });
  } catch (const Stopped&) {
    return std::nullopt;
  }
  return report;
}

}  // namespace bitlaw
