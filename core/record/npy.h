#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace bitlaw {

/// What a .npy file says of its numbers. Format 1.0 to 3.0: numpy.lib.format in NumPy's documentation.
struct NpyHeader {
  std::string descr;                ///< byte order, kind and bytes per element: "<f4", ">f8", "|u1"
  bool fortran_order = false;       ///< the first index runs fastest
  std::vector<std::int64_t> shape;  ///< empty: one number

  friend bool operator==(const NpyHeader&, const NpyHeader&) = default;
};

/// Reads the header at the front of `in` and leaves it at the first number. InputError that begins with `place` when
/// this is not a .npy file, or one of records.
NpyHeader read_npy_header(std::istream& in, const std::string& place);

/// The bytes before the numbers, format 1.0: a multiple of 64.
std::string npy_header_bytes(const NpyHeader& header);

}  // namespace bitlaw
