#pragma once

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

#include "core/format/quantize.h"

namespace bitlaw {

/// 2 to 256 float32 values, of any spacing, that stand for themselves: a format that is a list.
///
/// Rounding of v to one of its neighbours in the list: `lo` is the neighbour of smaller magnitude (of two alike, the
/// lower one), `hi` the other, f = (v - lo) / (hi - lo) in float64. With these the formulas of RoundingMode hold,
/// except that TowardPositive and TowardNegative take the upper and the lower neighbour; the middle is (lo + hi) / 2 in
/// float64, and there the even code is `lo` unless the code of `lo` is odd. Beyond the ends every Overflow saturates.
/// NaN: NanPolicy; for "zero", the value nearest to it.
class Codebook {
 public:
  static constexpr std::size_t kMostValues = 256;

  /// values[c] is the value of code c, in any order. InputError when there are too few or too many, or when one is not
  /// finite or there twice. Minus zero becomes zero.
  explicit Codebook(std::span<const float> values);
  Codebook(std::initializer_list<float> values) : Codebook(std::span(values.begin(), values.size())) {}

  std::span<const float> values() const { return lists_->values; }                 ///< by code
  std::span<const float> ascending() const { return lists_->ascending; }           ///< the same sorted
  std::span<const std::uint8_t> ascending_codes() const { return lists_->codes; }  ///< those of ascending()

  /// Bits per code.
  int total_bits() const { return static_cast<int>(std::bit_width(values().size() - 1)); }
  float max() const { return ascending().back(); }
  float lowest() const { return ascending().front(); }
  /// The largest magnitude.
  float max_magnitude() const;

  friend bool operator==(const Codebook& a, const Codebook& b) { return a.lists_->values == b.lists_->values; }

 private:
  struct Lists {
    std::vector<float> values, ascending;
    std::vector<std::uint8_t> codes;
  };
  std::shared_ptr<const Lists>
      lists_;  ///< shared by copies: specifications, most of which have no codebook, stay small
};

/// NormalFloat4: the 16 values of Dettmers et al. 2023, arXiv:2305.14314, appendix E, codes 0 to 15 in this order.
const Codebook& nf4();

/// Zero and +-2^(-j / steps) rounded to float32, j = 0, 1, ..., 2^(bits - 1) - 2; codes in ascending order. 2 <= bits
/// <= 8, 1 <= steps <= 64. steps = 2: powers of the square root of 2.
Codebook log_codebook(int bits, int steps);

/// The index in ascending() that v, which is not NaN, rounds to. The definition.
std::size_t round_reference(const Codebook& book, const Rounding& rounding, double v, const RandomWords& random);

/// As quantize() of quantize.h. T: float, double.
template <typename T>
void quantize(const Codebook& book, const Conversion& conversion, std::span<const T> x, std::span<T> out,
              const RandomStream& stream = {}, int threads = 1);
template <typename T>
void quantize_reference(const Codebook& book, const Conversion& conversion, std::span<const T> x, std::span<T> out,
                        const RandomStream& stream = {});
/// One element of quantize_reference: element `element` of a stream.
template <typename T>
T quantize_element(const Codebook& book, const Conversion& conversion, T x, const RandomStream& stream,
                   std::uint64_t element);

/// As encode() and decode() of encode.h. T: float, double. A NaN under NanPolicy::Propagate throws InputError.
template <typename T>
void encode(const Codebook& book, const Conversion& conversion, std::span<const T> x, std::span<std::uint8_t> codes,
            const RandomStream& stream = {}, int threads = 1);
template <typename T>
void encode_reference(const Codebook& book, const Conversion& conversion, std::span<const T> x,
                      std::span<std::uint8_t> codes, const RandomStream& stream = {});
/// Codes without a value are a bug.
template <typename T>
void decode(const Codebook& book, std::span<const std::uint8_t> codes, std::span<T> out, int threads = 1);

}  // namespace bitlaw
