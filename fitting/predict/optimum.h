#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fitting/laws/law.h"

namespace bitlaw {

/// What training costs: C = factor (P + offset) N D [FLOP of 16-bit products], P bits of an operand, or a formula. The
/// default is arXiv:2411.04330's and arXiv:2501.02423's C = (6/16) N D P, which is 6 N D at 16 bits.
struct TrainingCost {
  double factor = 6.0 / 16;
  double offset = 0;
  /// Where it is set, C(N, D, P) in place of both: positive, and rising with N and with D.
  std::function<double(double params, double tokens, double bits)> formula{};

  double flops(double params, double tokens, double bits) const;
  /// D that is left for N and P, and N for D and P: to 1e-13 of it with a formula; 0 where less than 1e-3 is left.
  double tokens(double compute, double params, double bits) const;
  double params(double compute, double tokens, double bits) const;
};

/// Exponent and mantissa bits of a float with a sign bit.
struct FloatLayout {
  double exponent_bits = 0, mantissa_bits = 0;
};

/// A law at given coefficients as a loss of N, D and the bits P of an operand, all else given.
class SizedLoss {
 public:
  /// `given`: the law's inputs other than N, D and its bits, by name, such as B or G. Where E and M, or Pw, Pa and Pkv,
  /// are among them the law has no bits of its own left. InputError for a law without N and D, for an input that is
  /// neither, and for one that is missing.
  SizedLoss(const Law& law, const std::map<std::string, double>& given);

  /// Whether the loss depends on P: by E + M + 1, split as is best, or by Pw = Pa = Pkv. The best split is
  /// best_layout() for fp_quantization, for any other law that with the least loss, to 1e-5 of a bit.
  bool has_bits() const { return bits_ != Bits::None; }
  const Law& law() const { return law_; }

  /// The loss; +infinity where the law has no value.
  double operator()(std::span<const double> natural, double params, double tokens, double bits) const;

 private:
  enum class Bits {
    None,
    BestLayout,  // by best_layout()
    AnyLayout,   // by search
    Widths
  };
  const Law& law_;
  Bits bits_ = Bits::None;
  std::vector<double> inputs_;           // those given, in the law's order
  std::size_t params_ = 0, tokens_ = 0;  // their places
  std::vector<std::size_t> bit_places_;  // E and M, or the three widths
};

/// How fp_quantization splits P = E + M + 1 bits best: E + 0.5 : M + 0.5 = delta : nu, neither below 0
/// (arXiv:2501.02423, App. C).
FloatLayout best_layout(std::span<const double> fp_quantization, double bits);

/// The same in whole bits, by trying all: the largest (E + 0.5)^delta (M + 0.5)^nu. `bits` >= 1.
FloatLayout best_whole_layout(std::span<const double> fp_quantization, int bits);

/// Where the loss is least.
struct Optimum {
  double params = 0, tokens = 0, bits = 0, loss = 0;
  bool inside = false;  ///< false: at an end of what was searched, so there is no optimum
};

/// What is held.
struct HeldSizes {
  std::optional<double> params, tokens, bits;
};

/// The least loss of a compute budget [FLOP], C = cost.flops(N, D, P): over N with P held, over P with N or D held,
/// over both with P free. Searched are N from 1e3 to 1e18 and P from 1 to 64 in their logarithms, on a grid and then by
/// Brent's method; relative error of the place about 1e-7.
Optimum best_for_compute(const SizedLoss& loss, std::span<const double> natural, const TrainingCost& cost,
                         double compute, const HeldSizes& held);

/// D beyond which more data raise the loss, at N and P (arXiv:2501.02423, App. D); not inside: more always help, up to
/// 1e30 tokens.
Optimum critical_tokens(const SizedLoss& loss, std::span<const double> natural, double params, double bits);

/// The least D that reaches a loss, at N and P; nothing where none does.
std::optional<double> tokens_to_reach(const SizedLoss& loss, std::span<const double> natural, double params,
                                      double bits, double target);

/// The budget that blocks are chosen within.
struct BlockQuestion {
  double compute = 0, params = 0;
  FloatLayout layout;
  double scale_bits = 0;  ///< that a scale takes
};

/// The best number of elements per scale of fp_quantization, from 8 to 4096: an operand's bits are P + scale_bits / B,
/// and a budget C with N held leaves that fewer tokens.
struct BlockOptimum {
  double block = 0, tokens = 0, loss = 0;
  bool inside = false;  ///< false: at an end of the range, so there is no optimum
};
/// Of all numbers, to 1e-7 of it.
BlockOptimum best_block(const Law& fp_quantization, std::span<const double> natural, const TrainingCost& cost,
                        const BlockQuestion& question);
/// Of powers of two; the ends count, too.
BlockOptimum best_power_of_two(const Law& fp_quantization, std::span<const double> natural, const TrainingCost& cost,
                               const BlockQuestion& question);

}  // namespace bitlaw
