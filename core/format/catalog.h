#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/format/format_spec.h"

namespace bitlaw {

// Element formats. The numbers in the assertions are those that the defining documents print.

inline constexpr FormatSpec kBinary64{.exponent_bits = 11, .mantissa_bits = 52, .bias = 1023};
inline constexpr FormatSpec kBinary32{.exponent_bits = 8, .mantissa_bits = 23, .bias = 127};
inline constexpr FormatSpec kBinary16{.exponent_bits = 5, .mantissa_bits = 10, .bias = 15};
inline constexpr FormatSpec kBfloat16{.exponent_bits = 8, .mantissa_bits = 7, .bias = 127};
inline constexpr FormatSpec kTf32{.exponent_bits = 8, .mantissa_bits = 10, .bias = 127};
static_assert(kBinary64.max_finite() == 0x1.fffffffffffffp1023 && kBinary64.min_positive() == 0x1p-1074);
static_assert(kBinary32.max_finite() == 0x1.fffffep127 && kBinary32.min_positive() == 0x1p-149);
static_assert(kBinary16.max_finite() == 65504 && kBinary16.min_normal() == 0x1p-14);
static_assert(kBinary16.min_positive() == 0x1p-24 && kBinary16.emax() == 15);
static_assert(kBfloat16.max_finite() == 0x1.fep127 && kBfloat16.min_positive() == 0x1p-133);
static_assert(kTf32.total_bits() == 19 && kTf32.max_finite() == 0x1.ffcp127);

inline constexpr FormatSpec kE4M3{.exponent_bits = 4, .mantissa_bits = 3, .bias = 7, .top = TopCodes::NanOnly};
inline constexpr FormatSpec kE5M2{.exponent_bits = 5, .mantissa_bits = 2, .bias = 15};
inline constexpr FormatSpec kE4M3Ieee{.exponent_bits = 4, .mantissa_bits = 3, .bias = 7};
inline constexpr FormatSpec kE3M4{.exponent_bits = 3, .mantissa_bits = 4, .bias = 3};
inline constexpr FormatSpec kE4M3Fnuz{.exponent_bits = 4, .mantissa_bits = 3, .bias = 8, .top = TopCodes::Fnuz};
inline constexpr FormatSpec kE5M2Fnuz{.exponent_bits = 5, .mantissa_bits = 2, .bias = 16, .top = TopCodes::Fnuz};
inline constexpr FormatSpec kE4M3B11Fnuz{.exponent_bits = 4, .mantissa_bits = 3, .bias = 11, .top = TopCodes::Fnuz};
static_assert(kE4M3.max_finite() == 448 && kE4M3.min_normal() == 0x1p-6 && kE4M3.min_positive() == 0x1p-9);
static_assert(kE5M2.max_finite() == 57344 && kE5M2.min_normal() == 0x1p-14 && kE5M2.min_positive() == 0x1p-16);
static_assert(kE4M3Ieee.max_finite() == 240 && kE4M3Ieee.min_positive() == 0x1p-9);
static_assert(kE3M4.max_finite() == 15.5 && kE3M4.min_normal() == 0.25 && kE3M4.min_positive() == 0x1p-6);
static_assert(kE4M3Fnuz.max_finite() == 240 && kE4M3Fnuz.min_positive() == 0x1p-10);
static_assert(kE5M2Fnuz.max_finite() == 57344 && kE5M2Fnuz.min_positive() == 0x1p-17);
static_assert(kE4M3B11Fnuz.max_finite() == 30 && kE4M3B11Fnuz.min_positive() == 0x1p-13);

inline constexpr FormatSpec kBinary8p3{.exponent_bits = 5, .mantissa_bits = 2, .bias = 16, .top = TopCodes::P3109};
inline constexpr FormatSpec kBinary8p4{.exponent_bits = 4, .mantissa_bits = 3, .bias = 8, .top = TopCodes::P3109};
inline constexpr FormatSpec kBinary8p5{.exponent_bits = 3, .mantissa_bits = 4, .bias = 4, .top = TopCodes::P3109};
static_assert(kBinary8p3.max_finite() == 49152 && kBinary8p3.min_positive() == 0x1p-17);
static_assert(kBinary8p4.max_finite() == 224 && kBinary8p4.min_positive() == 0x1p-10);
static_assert(kBinary8p5.max_finite() == 15 && kBinary8p5.min_positive() == 0x1p-7);

inline constexpr FormatSpec kE3M2{.exponent_bits = 3, .mantissa_bits = 2, .bias = 3, .top = TopCodes::Finite};
inline constexpr FormatSpec kE2M3{.exponent_bits = 2, .mantissa_bits = 3, .bias = 1, .top = TopCodes::Finite};
inline constexpr FormatSpec kE2M1{.exponent_bits = 2, .mantissa_bits = 1, .bias = 1, .top = TopCodes::Finite};
inline constexpr FormatSpec kE1M2{.exponent_bits = 1, .mantissa_bits = 2, .bias = 1, .top = TopCodes::Finite};
inline constexpr FormatSpec kE3M0{.exponent_bits = 3, .mantissa_bits = 0, .bias = 3, .top = TopCodes::Finite};
static_assert(kE3M2.max_finite() == 28 && kE3M2.min_normal() == 0.25 && kE3M2.min_positive() == 0.0625);
static_assert(kE2M3.max_finite() == 7.5 && kE2M3.min_normal() == 1 && kE2M3.min_positive() == 0.125);
static_assert(kE2M1.max_finite() == 6 && kE2M1.min_normal() == 1 && kE2M1.min_positive() == 0.5);
static_assert(kE1M2.max_finite() == 1.75 && kE1M2.min_positive() == 0.25);
static_assert(kE3M0.max_finite() == 16 && kE3M0.min_positive() == 0.25);
static_assert(kE4M3.emax() == 8 && kE5M2.emax() == 15 && kE3M2.emax() == 4 && kE2M3.emax() == 2 && kE2M1.emax() == 2);

// Scale formats: no sign. UE5M3 is published with two codebooks, which differ in the top exponent.

inline constexpr FormatSpec kE8M0{.exponent_bits = 8,
                                  .mantissa_bits = 0,
                                  .bias = 127,
                                  .top = TopCodes::NanOnly,
                                  .is_signed = false,
                                  .has_subnormals = false,
                                  .has_zero = false};
inline constexpr FormatSpec kUE4M3{
    .exponent_bits = 4, .mantissa_bits = 3, .bias = 7, .top = TopCodes::NanOnly, .is_signed = false};
inline constexpr FormatSpec kUE5M3{.exponent_bits = 5, .mantissa_bits = 3, .bias = 15, .is_signed = false};
inline constexpr FormatSpec kUE5M3Max114688{
    .exponent_bits = 5, .mantissa_bits = 3, .bias = 15, .top = TopCodes::NanOnly, .is_signed = false};
static_assert(kE8M0.max_finite() == 0x1p127 && kE8M0.min_positive() == 0x1p-127 && kE8M0.code_count() == 256);
static_assert(kUE4M3.max_finite() == 448 && kUE4M3.min_positive() == 0x1p-9);
static_assert(kUE5M3.max_finite() == 61440 && kUE5M3.min_normal() == 0x1p-14 && kUE5M3.min_positive() == 0x1p-17);
static_assert(kUE5M3Max114688.max_finite() == 114688 && kUE5M3Max114688.min_positive() == 0x1p-17);

// Integers and fixed point: value = code * 2^-fraction_bits.

constexpr FormatSpec integer_format(int bits, int fraction_bits = 0, SignCoding coding = SignCoding::TwosComplement) {
  return {.exponent_bits = 0,
          .mantissa_bits = bits - 1,
          .bias = 2 - bits + fraction_bits,
          .top = TopCodes::Finite,
          .sign_coding = coding};
}
constexpr FormatSpec unsigned_integer_format(int bits, int fraction_bits = 0) {
  return {.exponent_bits = 0,
          .mantissa_bits = bits,
          .bias = 1 - bits + fraction_bits,
          .top = TopCodes::Finite,
          .is_signed = false};
}
inline constexpr FormatSpec kInt4 = integer_format(4);
inline constexpr FormatSpec kInt8 = integer_format(8);
inline constexpr FormatSpec kMxInt8 = integer_format(8, 6);
static_assert(kInt8.max_finite() == 127 && kInt8.lowest() == -128 && kInt8.min_positive() == 1);
static_assert(kInt4.max_finite() == 7 && kInt4.lowest() == -8);
static_assert(kMxInt8.max_finite() == 1.984375 && kMxInt8.min_positive() == 0x1p-6);
static_assert(integer_format(8, 0, SignCoding::TwosComplementSymmetric).lowest() == -127);
static_assert(unsigned_integer_format(8).max_finite() == 255 && unsigned_integer_format(8).lowest() == 0);

/// Binary{bits}p{precision}{s|u}{e|f} of the IEEE P3109 interim report v4.0 §4.3: `bits` 3-16, `precision` 1 to bits -
/// 1 (unsigned: to bits). Signed formats have the bias 2^(bits - precision - 1), unsigned ones 2^(bits - precision).
constexpr FormatSpec p3109_format(int bits, int precision, bool is_signed, bool extended) {
  const int exponent_bits = bits - precision + (is_signed ? 0 : 1);
  return {.exponent_bits = exponent_bits,
          .mantissa_bits = precision - 1,
          .bias = 1 << (exponent_bits - 1),
          .top = extended    ? TopCodes::P3109
                 : is_signed ? TopCodes::Fnuz
                             : TopCodes::NanOnly,
          .is_signed = is_signed};
}
static_assert(p3109_format(8, 3, true, true) == kBinary8p3 && p3109_format(8, 5, true, true) == kBinary8p5);

/// A row of the catalog. Rows may share a format: other spellings of one name.
struct CatalogEntry {
  std::string_view name;
  FormatSpec spec;
  std::string_view document;  ///< where the format is defined
};

/// All named formats; the first row of a format carries its preferred name.
std::span<const CatalogEntry> format_catalog();

/// How formats without a row are written, for people to read: X exponent bits, Y mantissa bits, what the top codes
/// mean; N-bit integers of steps 2^-F; the formats of IEEE P3109.
inline constexpr std::string_view kFormatPattern =
    "[u]eXmY[:bias=B][,ieee|nan_only|finite|fnuz|p3109][,no_subnormals|no_zero], [u]intN[:frac=F][,symmetric] or "
    "binaryKpP{s|u}{e|f}";

/// The format that `name` means: a name of the catalog, or kFormatPattern with the options in any order, each kind at
/// most once. Numbers have no leading zeros.
///
/// Defaults: u absent: signed; bias 2^(X-1) - 1, and 0 for X = 0; finite: every code is a number, as in the laws that
/// vary exponent and mantissa bits (arXiv:2501.02423 §3.1) and in OCP FP4 and FP6. A name of the catalog with options
/// is read as the pattern: "e4m3,ieee" has the defaults above, not those of "e4m3". Integers have 2-32 bits (unsigned
/// 1-32), two's complement. "Binary8p3se" and "binary8p3se" are p3109_format(8, 3, true, true); P3109 formats alone may
/// lie outside double, where they can be listed but not rounded to.
/// InputError without a place when there is no such format; its message names the nearest name, of the catalog or of
/// `others`, which the caller understands besides.
FormatSpec parse_format(std::string_view name, std::span<const std::string_view> others = {});

/// The name that parse_format turns into `spec`: the catalog's, else the shortest of the pattern.
std::string format_name(const FormatSpec& spec);

}  // namespace bitlaw
