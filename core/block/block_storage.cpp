#include "core/block/block_storage.h"

#include <fmt/format.h>

#include <cmath>

#include "core/base/error.h"
#include "core/block/block_rows.h"
#include "core/format/catalog.h"
#include "core/format/encode.h"

namespace bitlaw {
namespace {

/// The format of the scales' codes.
FormatSpec stored_scale_format(const BlockSpec& spec) {
  if (spec.double_quantization) return spec.double_quantization->format;
  return spec.scale.value_or(kBinary32);
}

std::vector<float> stored_scale_values(const BlockSpec& spec, const BlockScales& scales) {
  std::vector<float> values;
  for (const BlockScale& block : scales.blocks) values.push_back(block.scale);
  if (!spec.double_quantization) return values;
  for (std::size_t b = 0; b < values.size(); ++b) {
    if (!std::isnan(values[b])) values[b] = scales.groups->offsets[b];
  }
  return values;
}

std::vector<std::uint8_t> scale_codes(const BlockSpec& spec, const BlockScales& scales) {
  const std::vector<float> values = stored_scale_values(spec, scales);
  const FormatSpec format = stored_scale_format(spec);
  for (std::size_t b = 0; b < values.size(); ++b) {
    if (!std::isnan(values[b]) || format.has_nan()) continue;
    throw InputError(
        fmt::format("block {}: has a NaN or an infinity, but scales of {} have no NaN to say so, so it "
                    "cannot be stored; use a scale format with NaN",
                    b, format_name(format)));
  }
  std::vector<std::uint32_t> codes(values.size());
  encode<float, std::uint32_t>(format, Conversion(), values, codes);
  std::vector<std::uint8_t> bytes;
  for (const std::uint32_t code : codes) {
    for (int i = 0; i < scale_bytes(spec); ++i) bytes.push_back(static_cast<std::uint8_t>(code >> (8 * i)));
  }
  return bytes;
}

std::vector<float> scale_values(const BlockSpec& spec, const BlockStorage& storage) {
  const auto bytes = static_cast<std::size_t>(scale_bytes(spec));
  std::vector<std::uint32_t> codes(static_cast<std::size_t>(storage.grid.count()));
  BITLAW_CHECK(storage.scales.size() == codes.size() * bytes, "{} bytes of {} scales", storage.scales.size(),
               codes.size());
  for (std::size_t i = 0; i < storage.scales.size(); ++i) {
    codes[i / bytes] |= std::uint32_t{storage.scales[i]} << (8 * (i % bytes));
  }
  std::vector<float> values(codes.size());
  decode<float, std::uint32_t>(stored_scale_format(spec), codes, values);
  if (!spec.double_quantization) return values;
  const auto size = static_cast<std::size_t>(spec.double_quantization->size);
  for (std::size_t b = 0; b < values.size(); ++b) {
    values[b] = double_quantized_scale(values[b], storage.groups->steps[b / size], storage.groups->mean);
  }
  return values;
}

float stored_form(const BlockSpec& spec, const TensorScale& tensor) {
  switch (spec.store) {
    case TensorStore::Divisor:
      return tensor.encode;
    case TensorStore::Amax:
      return tensor.amax;
    case TensorStore::Multiplier:
      break;
  }
  return tensor.decode;
}

/// What block_decode() needs of the tensor scale.
TensorScale from_stored_form(const BlockSpec& spec, const BlockStorage& storage) {
  const float stored = storage.tensor_scale.value_or(1);
  return {.encode = stored, .decode = stored, .amax = spec.store == TensorStore::Amax ? stored : 1};
}

/// Blocks of NaN have zeros for elements: their format may have no NaN.
template <typename T>
void clear_nan_blocks(const BlockScales& scales, std::span<T> scaled) {
  for (std::int64_t b = 0; b < scales.grid.count(); ++b) {
    if (!std::isnan(scales.blocks[static_cast<std::size_t>(b)].decode)) continue;
    const BlockRegion region = scales.grid.region(b);
    for (std::int64_t i = region.row; i < region.row + region.rows; ++i) {
      std::fill_n(scaled.begin() + i * scales.grid.cols + region.col, region.cols, T{0});
    }
  }
}

template <typename T>
std::vector<std::uint8_t> element_codes(const BlockSpec& spec, const Rounding& rounding, const BlockScales& scales,
                                        ConstMatrixView<float> x, const RandomStream& stream) {
  std::vector<T> scaled(static_cast<std::size_t>(x.size()));
  for (std::int64_t i = 0; i < x.rows; ++i) {
    const auto row = std::span(scaled).subspan(static_cast<std::size_t>(i * x.cols), static_cast<std::size_t>(x.cols));
    scale_row<T>(spec, scales, x, i, row);
  }
  clear_nan_blocks<T>(scales, scaled);
  std::vector<std::uint8_t> codes(scaled.size());
  if (spec.codebook) {
    encode<T>(*spec.codebook, rounding, scaled, codes, stream);
  } else {
    encode<T, std::uint8_t>(spec.element, rounding, scaled, codes, stream);
  }
  return codes;
}

std::vector<float> element_values(const BlockSpec& spec, const BlockStorage& storage) {
  std::vector<std::uint8_t> codes(static_cast<std::size_t>(storage.grid.rows * storage.grid.cols));
  unpack_codes(spec.element_bits(), storage.order, storage.codes, codes);
  std::vector<float> values(codes.size());
  if (spec.codebook) {
    decode<float>(*spec.codebook, codes, values);
  } else {
    decode<float, std::uint8_t>(spec.element, codes, values);
  }
  return values;
}

}  // namespace

int scale_bytes(const BlockSpec& spec) {
  const int bits = stored_scale_format(spec).total_bits();
  return bits <= 8 ? 1 : bits <= 16 ? 2 : 4;
}

double bits_per_element(const BlockSpec& spec, KAxis k_axis, std::int64_t rows, std::int64_t cols) {
  const BlockGrid grid = block_grid(spec, k_axis, rows, cols);
  double bits = static_cast<double>(grid.count()) * 8 * scale_bytes(spec);
  if (spec.tensor_target) bits += 32;
  if (spec.double_quantization) {
    const std::int64_t size = spec.double_quantization->size;
    bits += 32.0 + 32.0 * static_cast<double>((grid.count() + size - 1) / size);
  }
  return spec.element_bits() + bits / static_cast<double>(rows * cols);
}

BlockStorage pack_blocks(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                         const RandomStream& stream, BitOrder order, std::optional<float> held_amax) {
  if (spec.element_bits() > 8) {
    throw InputError(
        fmt::format("element {}: has {} bits, but codes are packed into bytes, at most 8 bits each; use a "
                    "narrower format",
                    format_name(spec.element), spec.element_bits()));
  }
  const BlockScales scales = block_scales(spec, k_axis, x, held_amax);
  const std::vector<std::uint8_t> codes = spec.scaling == ElementScaling::DivideExact
                                              ? element_codes<double>(spec, rounding, scales, x, stream)
                                              : element_codes<float>(spec, rounding, scales, x, stream);
  BlockStorage storage{.grid = scales.grid,
                       .order = order,
                       .codes = std::vector<std::uint8_t>(packed_size(codes.size(), spec.element_bits())),
                       .scales = scale_codes(spec, scales),
                       .tensor_scale = {},
                       .groups = scales.groups};
  pack_codes(spec.element_bits(), order, codes, storage.codes);
  if (spec.tensor_target) storage.tensor_scale = stored_form(spec, scales.tensor);
  if (storage.groups) storage.groups->offsets.clear();
  return storage;
}

void unpack_blocks(const BlockSpec& spec, const BlockStorage& storage, MatrixView<float> out) {
  BITLAW_CHECK(out.rows == storage.grid.rows && out.cols == storage.grid.cols, "[{}, {}] into [{}, {}]",
               storage.grid.rows, storage.grid.cols, out.rows, out.cols);
  const std::vector<float> scales = scale_values(spec, storage);
  const std::vector<float> values = element_values(spec, storage);
  const TensorScale tensor = from_stored_form(spec, storage);
  for (std::int64_t b = 0; b < storage.grid.count(); ++b) {
    const BlockRegion region = storage.grid.region(b);
    const float multiplier = block_decode(spec, tensor, scales[static_cast<std::size_t>(b)]);
    for (std::int64_t i = region.row; i < region.row + region.rows; ++i) {
      for (std::int64_t j = region.col; j < region.col + region.cols; ++j) {
        out(i, j) = values[static_cast<std::size_t>(i * out.cols + j)] * multiplier;
      }
    }
  }
}

}  // namespace bitlaw
