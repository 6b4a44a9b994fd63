#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/block/block_storage.h"
#include "core/format/element.h"
#include "core/format/rounding.h"
#include "core/random/philox.h"
#include "core/tensor/matrix.h"

namespace bitlaw::python {

/// bitlaw.Format: an element format and the name that it was asked by.
struct Format {
  std::string name;
  Element element;
  std::string source;  ///< the document that defines it

  explicit Format(const std::string& asked);
};

/// bitlaw.Block: how an array is stored in blocks that share scales.
struct Block {
  std::string name;  ///< of a preset, else the canonical text
  BlockSpec spec;
};

/// bitlaw.Packed: an array in the bits that a Block stores.
struct Packed {
  Block block;
  std::vector<std::int64_t> shape;  ///< of the array, rows times columns of the storage
  KAxis k_axis = KAxis::Cols;
  BlockStorage storage;
};

/// Arrays come as memory: the shapes are the Python side's (_arrays.py). C order, on the CPU.
using Input = nanobind::ndarray<nanobind::ro, nanobind::c_contig, nanobind::device::cpu>;
using Output = nanobind::ndarray<nanobind::c_contig, nanobind::device::cpu>;

/// Such memory of float32 as a matrix.
inline ConstMatrixView<float> matrix(const Input& x, std::int64_t rows, std::int64_t cols) {
  return {static_cast<const float*>(x.data()), rows, cols};
}
inline MatrixView<float> matrix(const Output& x, std::int64_t rows, std::int64_t cols) {
  return {static_cast<float*>(x.data()), rows, cols};
}

/// A random stream as Python has it: (seed, step, layer, slot).
using Key = std::tuple<std::uint64_t, std::uint32_t, std::uint16_t, std::uint16_t>;
inline RandomStream stream_of(const Key& key) {
  return {.seed = std::get<0>(key), .step = std::get<1>(key), .layer = std::get<2>(key), .slot = std::get<3>(key)};
}

/// InputError where the format has values outside float64, in which numbers are rounded.
void check_rounds(const Format& format);

void bind_formats(nanobind::module_& m);
void bind_elements(nanobind::module_& m);
void bind_blocks(nanobind::module_& m);
void bind_products(nanobind::module_& m);
void bind_fits(nanobind::module_& m);

}  // namespace bitlaw::python
