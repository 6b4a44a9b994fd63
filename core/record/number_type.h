#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace bitlaw {

/// The numbers that array files hold.
enum class NumberType : std::uint8_t {
  Float16,
  BFloat16,
  Float32,
  Float64,
  UInt8,
  UInt16,
  UInt32,
  UInt64
};

struct NumberTypeInfo {
  NumberType type;
  std::string_view name;  ///< NumPy's
  std::string_view npy;   ///< descr of .npy files, little-endian; empty: has none
  std::size_t bytes;
};

/// One row a type, in the order of the enumerators.
inline constexpr std::array<NumberTypeInfo, 8> kNumberTypes{{{NumberType::Float16, "float16", "<f2", 2},
                                                             {NumberType::BFloat16, "bfloat16", "", 2},
                                                             {NumberType::Float32, "float32", "<f4", 4},
                                                             {NumberType::Float64, "float64", "<f8", 8},
                                                             {NumberType::UInt8, "uint8", "|u1", 1},
                                                             {NumberType::UInt16, "uint16", "<u2", 2},
                                                             {NumberType::UInt32, "uint32", "<u4", 4},
                                                             {NumberType::UInt64, "uint64", "<u8", 8}}};

constexpr const NumberTypeInfo& info(NumberType type) { return kNumberTypes[static_cast<std::size_t>(type)]; }
constexpr bool is_float(NumberType type) { return type <= NumberType::Float64; }

/// Whether the numbers of an array of this shape, and their bytes, can be counted in 64 bits. Extents are not negative.
inline bool is_countable(const std::vector<std::int64_t>& shape) {
  std::int64_t room = std::numeric_limits<std::int64_t>::max() / 16;  // twice the bytes of the widest numbers
  for (const std::int64_t extent : shape) {
    if (extent == 0) return true;
    room /= extent;
  }
  return room > 0;
}

}  // namespace bitlaw
