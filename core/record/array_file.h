#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/record/hdf5_array.h"
#include "core/record/number_type.h"

namespace bitlaw {

/// Where an array lies, as people write it: "x.npy", "x.h5:/group/dataset" (extensions .h5, .hdf5, .hdf), or any other
/// file, which is raw numbers without a header.
struct ArrayPlace {
  enum class Kind : std::uint8_t {
    Npy,
    Hdf5,
    Raw
  };
  Kind kind = Kind::Raw;
  std::filesystem::path file;
  std::string dataset;  ///< Hdf5 only; empty when none was named

  std::string to_string() const;
};
ArrayPlace parse_array_place(const std::string& text);

/// The type that the extension of a raw file tells: .f16, .bf16, .f32, .f64.
std::optional<NumberType> type_of_extension(const std::filesystem::path& file);

/// What an array file says of its numbers.
struct ArrayInfo {
  NumberType type = NumberType::Float32;
  bool fortran_order = false;       ///< the first index runs fastest in the file
  std::vector<std::int64_t> shape;  ///< empty: one number

  std::int64_t count() const;
};

/// The numbers of an array from the first to the last in the order of the file, a part at a time.
class ArrayReader {
 public:
  virtual ~ArrayReader() = default;
  const ArrayInfo& info() const { return info_; }
  /// The next numbers, little-endian, as many as `bytes` has room for; there must be so many.
  virtual void read(std::span<std::byte> bytes) = 0;

 protected:
  explicit ArrayReader(ArrayInfo array) : info_(std::move(array)) {}

 private:
  ArrayInfo info_;
};

/// Opens an array of floating-point numbers. `raw_type` is the type of a raw file, whose shape is its length.
/// InputError when there is none, when it is shorter than its header says, or has other elements.
std::unique_ptr<ArrayReader> open_array(const ArrayPlace& place, NumberType raw_type);

/// Writes an array to a temporary file, which the caller renames to `place.file` (write_atomically).
class ArrayWriter {
 public:
  /// `attributes` go to HDF5 files only. InputError when the kind of file cannot hold the type or the order.
  ArrayWriter(const ArrayPlace& place, const std::filesystem::path& temporary, const ArrayInfo& info,
              const hdf5::TextAttributes& attributes);
  void write(std::span<const std::byte> bytes);
  /// To be called once behind the last number.
  void finish();

 private:
  std::filesystem::path file_;
  std::fstream out_;
};

/// InputError when a file of this kind cannot hold such an array, or its dataset has no name.
void require_writable(const ArrayPlace& place, const ArrayInfo& info);

}  // namespace bitlaw
