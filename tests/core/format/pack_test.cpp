#include "core/format/pack.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/support/each_target.h"

using namespace bitlaw;

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr BitOrder kOrders[] = {BitOrder::LowFirst, BitOrder::HighFirst};

Bytes packed(int bits, BitOrder order, const Bytes& codes) {
  Bytes out(packed_size(codes.size(), bits), 0xAA);
  pack_codes(bits, order, codes, out);
  return out;
}

Bytes random_codes(std::size_t count, int bits) {
  std::mt19937 engine(static_cast<unsigned>(count) + 1);
  Bytes codes(count);
  for (std::uint8_t& code : codes) code = static_cast<std::uint8_t>(engine() % (1U << bits));
  return codes;
}

/// The bits of all codes as text, first bit first, by the sentence in pack.h.
std::string bit_text(int bits, BitOrder order, const Bytes& codes) {
  std::string text;
  for (const std::uint8_t code : codes) {
    for (int j = 0; j < bits; ++j)
      text += (code >> (order == BitOrder::LowFirst ? j : bits - 1 - j) & 1) != 0 ? '1' : '0';
  }
  text.resize(packed_size(codes.size(), bits) * 8, '0');
  return text;
}

}  // namespace

TEST_CASE("pack: the first of two 4-bit codes is the low nibble, as PyTorch and NVIDIA PTX document; or the high one") {
  CHECK(packed(4, BitOrder::LowFirst, {0x1, 0x2, 0xF}) == Bytes{0x21, 0x0F});
  CHECK(packed(4, BitOrder::HighFirst, {0x1, 0x2, 0xF}) == Bytes{0x12, 0xF0});
}

TEST_CASE("pack: four 6-bit codes are three bytes without gaps") {
  // 000001 000010 000011 111111 from the first code on; LowFirst reads each code and byte from its low bit.
  CHECK(packed(6, BitOrder::HighFirst, {1, 2, 3, 63}) == Bytes{0b00000100, 0b00100000, 0b11111111});
  CHECK(packed(6, BitOrder::LowFirst, {1, 2, 3, 63}) == Bytes{0b10000001, 0b00110000, 0b11111100});
}

TEST_CASE("pack: the bits of the bytes are those of the codes, for every width, order, length and instruction set") {
  for_each_target([&](const char* target) {
    CAPTURE(std::string(target));
    for (int bits = 1; bits <= 8; ++bits) {
      for (const BitOrder order : kOrders) {
        for (std::size_t count = 0; count <= 300; count += count < 135 ? 1 : 33) {
          CAPTURE(bits);
          CAPTURE(count);
          const Bytes codes = random_codes(count, bits);
          const Bytes bytes = packed(bits, order, codes);
          CHECK(bit_text(8, order, bytes) == bit_text(bits, order, codes));
          Bytes again(count, 0xAA);
          unpack_codes(bits, order, bytes, again);
          CHECK(again == codes);
        }
      }
    }
  });
}

TEST_CASE("pack, unpack: nothing is written beyond the end") {
  for (const int bits : {4, 6}) {
    for (std::size_t count = 0; count <= 130; ++count) {
      const Bytes codes = random_codes(count, bits);
      const std::size_t size = packed_size(count, bits);
      Bytes bytes(size + 64, 0xAA), again(count + 64, 0xAA);
      pack_codes(bits, BitOrder::LowFirst, codes, std::span(bytes).first(size));
      unpack_codes(bits, BitOrder::LowFirst, std::span(bytes).first(size), std::span(again).first(count));
      CHECK(Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(size), bytes.end()) == Bytes(64, 0xAA));
      CHECK(Bytes(again.begin() + static_cast<std::ptrdiff_t>(count), again.end()) == Bytes(64, 0xAA));
    }
  }
}
