#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/record/hdf5_session.h"
#include "core/record/number_type.h"

/// Arrays of any size in the HDF5 files of other programs, a part at a time. For our own records see hdf5.h.
namespace bitlaw::hdf5 {

/// A dataset of floating-point numbers, read in row-major order. While it lives, this thread has the HDF5 library for
/// itself.
class ArrayDataset {
 public:
  /// InputError that names the datasets of the file when `name` ("/group/weights") is none of them, and when it holds
  /// other numbers than float16, bfloat16, float32 or float64 of either byte order.
  ArrayDataset(const std::filesystem::path& file, const std::string& name);

  NumberType type() const { return type_; }
  std::vector<std::int64_t> shape() const { return {extent_.begin(), extent_.end()}; }
  /// The next numbers, little-endian, as many as `bytes` has room for; there must be so many.
  void read(std::span<std::byte> bytes);

 private:
  void plan_slabs();
  void read_slab();

  Session session_;
  std::string place_;
  Handle file_, dataset_, space_;
  NumberType type_;
  std::vector<hsize_t> extent_;
  // A slab is a range of one axis, whole in the axes behind it, at one index of the axes before it.
  std::size_t axis_ = 0;
  hsize_t thickness_ = 1;       ///< of a slab, indices of its axis
  std::vector<hsize_t> start_;  ///< of the next slab
  std::vector<std::byte> slab_;
  std::size_t used_ = 0;  ///< bytes of slab_
};

/// Names and texts that describe a dataset.
using TextAttributes = std::vector<std::pair<std::string, std::string>>;

/// Writes `file` anew with one dataset of zeros, contiguous and little-endian, and the groups on the way to it. Returns
/// the byte of the file where its numbers begin, to be written there without HDF5: its version 1.10 may crash when the
/// process ends after a disk was full.
std::uint64_t create_array_file(const std::filesystem::path& file, const std::string& name, NumberType type,
                                const std::vector<std::int64_t>& shape, const TextAttributes& attributes);

}  // namespace bitlaw::hdf5
