#include "core/format/pack.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/format/pack_kernels.h"

namespace bitlaw {
namespace {

/// Where bit j of code i is, counted from the least significant bit of its byte.
struct BitPlace {
  std::size_t byte;
  int bit;
};

BitPlace place_of(BitOrder order, int bits, std::size_t i, int j) {
  const bool low_first = order == BitOrder::LowFirst;
  const std::size_t index = i * static_cast<std::size_t>(bits) + static_cast<std::size_t>(low_first ? j : bits - 1 - j);
  const int in_byte = static_cast<int>(index % 8);
  return {index / 8, low_first ? in_byte : 7 - in_byte};
}

void check_sizes(int bits, std::size_t codes, std::size_t packed) {
  BITLAW_CHECK(bits >= 1 && bits <= 8, "codes of {} bits", bits);
  BITLAW_CHECK(packed == packed_size(codes, bits), "{} codes of {} bits in {} bytes", codes, bits, packed);
}

bool has_kernel(int bits) { return bits == 4 || bits == 6; }

void pack_by_bit(int bits, BitOrder order, std::span<const std::uint8_t> codes, std::span<std::uint8_t> packed) {
  std::fill(packed.begin(), packed.end(), std::uint8_t{0});
  for (std::size_t i = 0; i < codes.size(); ++i) {
    BITLAW_CHECK(codes[i] >> bits == 0, "code {} of {} bits", codes[i], bits);
    for (int j = 0; j < bits; ++j) {
      const BitPlace place = place_of(order, bits, i, j);
      packed[place.byte] = static_cast<std::uint8_t>(packed[place.byte] | (codes[i] >> j & 1) << place.bit);
    }
  }
}

void unpack_by_bit(int bits, BitOrder order, std::span<const std::uint8_t> packed, std::span<std::uint8_t> codes) {
  for (std::size_t i = 0; i < codes.size(); ++i) {
    unsigned code = 0;
    for (int j = 0; j < bits; ++j) {
      const BitPlace place = place_of(order, bits, i, j);
      code |= (packed[place.byte] >> place.bit & 1U) << j;
    }
    codes[i] = static_cast<std::uint8_t>(code);
  }
}

}  // namespace

void pack_codes(int bits, BitOrder order, std::span<const std::uint8_t> codes, std::span<std::uint8_t> packed) {
  check_sizes(bits, codes.size(), packed.size());
  const PackedPart done =
      has_kernel(bits) ? pack_vectors(bits, order, codes.data(), packed.data(), codes.size()) : PackedPart{};
  BITLAW_CHECK(done.all_bits >> bits == 0, "a code has more than {} bits", bits);
  pack_by_bit(bits, order, codes.subspan(done.codes), packed.subspan(packed_size(done.codes, bits)));
}

void unpack_codes(int bits, BitOrder order, std::span<const std::uint8_t> packed, std::span<std::uint8_t> codes) {
  check_sizes(bits, codes.size(), packed.size());
  const std::size_t done =
      has_kernel(bits) ? unpack_vectors(bits, order, packed.data(), codes.data(), codes.size()) : 0;
  unpack_by_bit(bits, order, packed.subspan(packed_size(done, bits)), codes.subspan(done));
}

}  // namespace bitlaw
