#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/enum_name.h"
#include "core/format/format_spec.h"
#include "core/random/philox.h"
#include "core/tensor/matrix.h"

namespace bitlaw {

/// Which elements of a piece change their sign.
enum class HadamardSigns : std::uint8_t {
  Random,  ///< element e where bit 31 of random_bits(stream, e) is set
  Fixed,   ///< those with -1 in a list
  None,
};

inline constexpr std::array<EnumName<HadamardSigns>, 3> kHadamardSignsNames{
    {{"random", HadamardSigns::Random}, {"fixed", HadamardSigns::Fixed}, {"none", HadamardSigns::None}}};

/// The list that TransformerEngine has for 16 elements ("get_wgrad_sign_vector" in
/// transformer_engine/pytorch/tensor/nvfp4_tensor.py, github.com/NVIDIA/TransformerEngine, commit d0067d0).
inline constexpr std::array<std::int8_t, 16> kTransformerEngineSigns{1,  1,  1,  -1, 1,  -1, -1, -1,
                                                                     -1, -1, -1, 1,  -1, 1,  -1, -1};

/// A rotation of an operand, in pieces of `size` consecutive elements along K.
struct HadamardSpec {
  int size = 16;  ///< a power of two, 1 to 65536; 1 leaves only the signs
  HadamardSigns signs = HadamardSigns::Random;
  std::vector<std::int8_t> fixed = {};  ///< for HadamardSigns::Fixed: `size` numbers +1 or -1
  bool orthonormal = true;              ///< false: without the factor 1 / sqrt(size), so integers stay integers
  /// The results are rounded to this: ties to even, beyond the range as IEEE 754 (rounding.h, Overflow::ByDirection).
  /// bfloat16 is what hardware leaves that writes the rotated operand back. Unset: float32.
  std::optional<FormatSpec> result = std::nullopt;

  /// Whether size and signs are in range and agree.
  bool is_valid() const;
  friend bool operator==(const HadamardSpec&, const HadamardSpec&) = default;
};

/// out = x D H / sqrt(size) in each piece: the diagonal matrix D of the signs, then the Walsh-Hadamard matrix H in
/// natural (Sylvester) order, H[i][j] = (-1)^popcount(i & j). out may be x. The size divides the extent of K: there is
/// no rule for a shorter last piece.
///
/// Orthonormal, so that rotating both operands of a product leaves it unchanged in exact arithmetic. All steps are
/// float32, in this order: signs; for h = 1, 2, 4, ... the pairs (a, b) at distance h become (a + b, a - b); the
/// product with 1 / sqrt(size) rounded to float32; `result`. So small integers are exact for sizes 4, 16, 64, ...
/// Error before `result`: within (log2(size) + 2) 2^-24 of the exact one, times the piece's sum of magnitudes /
/// sqrt(size). Which NaN a NaN becomes is not said.
void hadamard_rotate(const HadamardSpec& spec, KAxis k_axis, ConstMatrixView<float> x, MatrixView<float> out,
                     const RandomStream& stream = {});

/// The inverse, in exact arithmetic and without `result`, where orthonormal: out = x H D / sqrt(size), signs last
/// before `result`.
void hadamard_unrotate(const HadamardSpec& spec, KAxis k_axis, ConstMatrixView<float> x, MatrixView<float> out,
                       const RandomStream& stream = {});

/// The same two, one element at a time: what the vectorised ones equal bit for bit.
void hadamard_rotate_reference(const HadamardSpec& spec, KAxis k_axis, ConstMatrixView<float> x, MatrixView<float> out,
                               const RandomStream& stream = {});
void hadamard_unrotate_reference(const HadamardSpec& spec, KAxis k_axis, ConstMatrixView<float> x,
                                 MatrixView<float> out, const RandomStream& stream = {});

namespace hadamard_detail {

/// +1 or -1 for each element of a piece.
std::vector<float> signs_of(const HadamardSpec& spec, const RandomStream& stream);
/// The last factor of each result, its sign left aside.
float factor_of(const HadamardSpec& spec);
/// BITLAW_CHECK of the arguments.
void check(const HadamardSpec& spec, KAxis k_axis, ConstMatrixView<float> x, ConstMatrixView<float> out);

}  // namespace hadamard_detail
}  // namespace bitlaw
