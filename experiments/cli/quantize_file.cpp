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
#include "core/base/parallel.h"
#include "core/format/codes.h"
#include "core/format/encode.h"
#include "core/format/quantizer.h"
#include "core/format/storage_kernels.h"
#include "experiments/cli/format_values.h"
#include "experiments/cli/quantize_job.h"

namespace bitlaw {
namespace {

/// The finite range. Without a zero it starts there: what is too small for the format is not clipped.
std::pair<double, double> range_of(const Element& format) {
  if (const auto* book = std::get_if<Codebook>(&format)) return {book->lowest(), book->max()};
  const auto& spec = std::get<FormatSpec>(format);
  return {spec.has_zero ? spec.lowest() : 0.0, spec.max_finite()};
}

/// The format of a type of floating-point numbers.
const FormatSpec& format_of(NumberType type) {
  static const FormatSpec bfloat16{.exponent_bits = 8, .mantissa_bits = 7, .bias = 127};
  switch (type) {
    case NumberType::Float16:
      return kBinary16;
    case NumberType::BFloat16:
      return bfloat16;
    case NumberType::Float64:
      return kBinary64;
    default:
      return kBinary32;
  }
}

/// Whether every value of the format is one of the type.
bool is_exact_in(const Element& format, NumberType type) {
  const FormatSpec& wide = format_of(type);
  if (const auto* book = std::get_if<Codebook>(&format)) {
    const auto values = book->values();
    return std::all_of(values.begin(), values.end(),
                       [&](float v) { return encode(wide, static_cast<double>(v)).has_value(); });
  }
  const auto& spec = std::get<FormatSpec>(format);
  const int precision = spec.mantissa_bits + (spec.exponent_bits > 0 ? 1 : 0);
  return precision <= wide.mantissa_bits + 1 && spec.emax() <= wide.emax() &&
         spec.emin() - spec.mantissa_bits >= wide.least_exponent();
}

/// Rounds x in place; element i takes the random bits of element first + i. R: float or double.
template <typename R>
void round_numbers(const QuantizePlan& plan, std::span<R> x, std::uint64_t first) {
  const RandomStream stream{.seed = plan.seed};
  if (const auto* spec = std::get_if<FormatSpec>(&plan.format)) {
    const Quantizer<R> quantizer(*spec, plan.conversion, stream);
    return parallel_parts(x.size(), plan.threads, [&](std::size_t begin, std::size_t end) {
      const std::span<R> part = x.subspan(begin, end - begin);
      quantizer(part, part, first + begin);
    });
  }
  const auto& book = std::get<Codebook>(plan.format);
  if (!plan.conversion.rounding.is_stochastic()) {
    return quantize<R>(book, plan.conversion, x, x, stream, plan.threads);
  }
  parallel_parts(x.size(), plan.threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      x[i] = quantize_element(book, plan.conversion, x[i], stream, first + i);
    }
  });
}

NumberType code_type(int bits) {
  return bits <= 8    ? NumberType::UInt8
         : bits <= 16 ? NumberType::UInt16
         : bits <= 32 ? NumberType::UInt32
                      : NumberType::UInt64;
}

/// The codes of values of the format, to the writer. A NaN without code is refused.
template <typename Code, typename R>
void write_codes(const QuantizeJob& job, std::span<const R> q, std::int64_t first) {
  const auto* spec = std::get_if<FormatSpec>(&job.plan.format);
  if (spec == nullptr || !spec->has_nan()) {
    const auto nan = std::find_if(q.begin(), q.end(), [](R v) { return std::isnan(v); });
    if (nan != q.end()) {
      throw InputError(
          fmt::format("{}: element {} is NaN, of which {} has no code, so --codes cannot write it; add --nan "
                      "zero or --nan max",
                      job.plan.in.to_string(), first + (nan - q.begin()), job.plan.format_name));
    }
  }
  // Values of the format do not move; infinity must not become finite.
  const Conversion as_it_is(RoundingMode::TowardZero, Overflow::Propagate);
  std::vector<Code> codes(q.size());
  if (spec != nullptr) {
    encode(*spec, as_it_is, q, std::span(codes), {}, job.plan.threads);
  } else if constexpr (std::is_same_v<Code, std::uint8_t>) {
    encode(std::get<Codebook>(job.plan.format), as_it_is, q, std::span(codes), {}, job.plan.threads);
  }
  job.writer.write(std::as_bytes(std::span(codes)));
}

template <typename R>
void write_codes(const QuantizeJob& job, std::span<const R> q, std::int64_t first) {
  switch (code_type(total_bits(job.plan.format))) {
    case NumberType::UInt8:
      return write_codes<std::uint8_t>(job, q, first);
    case NumberType::UInt16:
      return write_codes<std::uint16_t>(job, q, first);
    case NumberType::UInt32:
      return write_codes<std::uint32_t>(job, q, first);
    default:
      return write_codes<std::uint64_t>(job, q, first);
  }
}

/// `to` as numbers of another type or of the same.
template <typename From, typename To>
void copy_as(std::span<const From> from, std::span<To> to) {
  if constexpr (std::is_same_v<From, To>) {
    std::copy(from.begin(), from.end(), to.begin());
  } else {
    convert(from, to);
  }
}

/// T: the type in the file. R: float or double, in which T and the values of the format are exact.
template <typename T, typename R>
void convert_elements(const QuantizeJob& job) {
  const std::int64_t count = job.reader.info().count();
  const auto [least, most] = range_of(job.plan.format);
  std::vector<T> stored;
  std::vector<R> x, q;
  for (std::int64_t first = 0; first < count; first += kQuantizePart) {
    const auto size = static_cast<std::size_t>(std::min(kQuantizePart, count - first));
    stored.resize(size);
    x.resize(size);
    job.reader.read(std::as_writable_bytes(std::span(stored)));
    copy_as(std::span<const T>(stored), std::span(x));
    q = x;
    round_numbers(job.plan, std::span(q), static_cast<std::uint64_t>(first));
    job.statistics.template add<R>(x, q, least, most);
    if (job.plan.codes) {
      write_codes(job, std::span<const R>(q), first);
    } else {
      copy_as(std::span<const R>(q), std::span(stored));
      job.writer.write(std::as_bytes(std::span(stored)));
    }
    job.report(first + static_cast<std::int64_t>(size));
  }
}

/// In float32 where all is exact there.
template <typename T>
void convert_elements(const QuantizeJob& job) {
  if (is_exact_in(job.plan.format, NumberType::Float32)) return convert_elements<T, float>(job);
  convert_elements<T, double>(job);
}

void convert(const QuantizeJob& job) {
  switch (job.reader.info().type) {
    case NumberType::Float16:
      return convert_elements<Float16>(job);
    case NumberType::BFloat16:
      return convert_elements<BFloat16>(job);
    case NumberType::Float64:
      return convert_elements<double, double>(job);
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
  if (!plan.block && !plan.codes && !is_exact_in(plan.format, type)) {
    const bool single = type != NumberType::Float32 && is_exact_in(plan.format, NumberType::Float32);
    throw InputError(
        fmt::format("{}: holds {}, in which the values of {} are not exact, so its numbers would be rounded twice; "
                    "convert it to {} before, or add --codes",
                    plan.in.to_string(), info(type).name, plan.format_name, single ? "float32" : "float64"));
  }
}

}  // namespace

hdf5::TextAttributes attributes_of(const QuantizePlan& plan, const std::string& content) {
  return {{"bitlaw_format", plan.format_name},
          {"bitlaw_content", content},
          {"bitlaw_conversion", conversion_text(plan)},
          {"bitlaw_version", build_info().version}};
}

std::optional<QuantizeReport> quantize_file(const QuantizePlan& plan, const ElementsDone& go_on) {
  const std::unique_ptr<ArrayReader> reader = open_array(plan.in, plan.raw_type);
  QuantizeReport report{.input = reader->info(), .output = reader->info(), .statistics = {}, .stored = {}};
  check_type(plan, report.input.type);
  if (plan.codes) report.output.type = code_type(total_bits(plan.format));
  require_writable(plan.out, report.output);
  for (const auto& place : {plan.codes_out, plan.scales_out}) {
    if (place) require_writable(*place, {.type = NumberType::UInt8, .shape = {}});
  }
  try {
    write_atomically(plan.out.file, [&](const std::filesystem::path& temporary) {
      ArrayWriter writer(plan.out, temporary, report.output, attributes_of(plan, plan.codes ? "codes" : "values"));
      const QuantizeJob job{plan, *reader, writer, report.statistics, go_on};
      if (plan.block) {
        report.stored = convert_blocks(job);
      } else {
        convert(job);
      }
      writer.finish();
    });
  } catch (const QuantizeStopped&) {
    return std::nullopt;
  }
  return report;
}

}  // namespace bitlaw
