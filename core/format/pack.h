#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bitlaw {

/// Which code of a byte comes first.
enum class BitOrder : std::uint8_t {
  LowFirst,   ///< the first code in the low bits, as PyTorch's float4_e2m1fn_x2 and NVIDIA's PTX have it
  HighFirst,  ///< the first code in the high bits
};

/// Bytes that `count` codes of `bits` bits take: codes follow each other without gaps, also across bytes, and the last
/// byte is filled with zeros. LowFirst: bit j of code i is bit (i bits + j) % 8 of byte (i bits + j) / 8. HighFirst:
/// the codes, each from high to low, are the bits of the bytes, each from high to low.
constexpr std::size_t packed_size(std::size_t count, int bits) {
  return (count * static_cast<std::size_t>(bits) + 7) / 8;
}

/// packed [packed_size(codes.size(), bits)] from codes, each < 2^bits; 1 <= bits <= 8. Higher bits are a bug.
void pack_codes(int bits, BitOrder order, std::span<const std::uint8_t> codes, std::span<std::uint8_t> packed);

/// The inverse.
void unpack_codes(int bits, BitOrder order, std::span<const std::uint8_t> packed, std::span<std::uint8_t> codes);

}  // namespace bitlaw
