#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/check.h"
#include "core/format/quantize.h"
#include "core/tensor/accumulate_gemm.h"

namespace bitlaw {
namespace {

double rounded(const FormatSpec& format, RoundingMode mode, double v) {
  return round_reference(format, {mode, Overflow::ByDirection}, v, [](int) { return 0U; });
}

double nearest(const FormatSpec& format, double v) { return rounded(format, RoundingMode::TiesToEven, v); }

/// high + rest rounded to odd, where |rest| is at most half an ulp of `high`: rounding it again to 51 bits or fewer, in
/// any direction, equals rounding high + rest (Boldo & Melquiond 2008).
double to_odd(double high, double rest) {
  const bool is_odd = (std::bit_cast<std::uint64_t>(high) & 1U) != 0;
  if (rest == 0 || is_odd) return high;
  return std::nextafter(high, rest > 0 ? HUGE_VAL : -HUGE_VAL);
}

/// x + y - (x + y) for finite numbers, exact (Knuth's TwoSum).
double lost_bits(double x, double y) {
  const double sum = x + y;
  const double of_y = sum - x;
  return (x - (sum - of_y)) + (y - of_y);
}

/// x + y rounded to odd; IEEE addition for zeros, infinities and NaN.
double sum_to_odd(double x, double y) {
  return std::isfinite(x) && std::isfinite(y) ? to_odd(x + y, lost_bits(x, y)) : x + y;
}

/// The exact sum of finite doubles, as parts of which none overlaps another, the least first (Shewchuk 1997,
/// Grow-Expansion).
class ExactSum {
 public:
  void add(double v) {
    std::size_t kept = 0;
    for (const double part : parts_) {
      const double lost = lost_bits(v, part);
      v += part;
      if (lost != 0) parts_[kept++] = lost;
    }
    parts_.resize(kept);
    parts_.push_back(v);
  }

  /// The sum rounded to odd; an exact zero is +0.
  double rounded_to_odd() const {
    double high = 0, rest = 0;
    for (auto part = parts_.rbegin(); part != parts_.rend() && rest == 0; ++part) {
      rest = lost_bits(high, *part);  // what is still below has less than rest's last bit: the sign of rest is final
      high += *part;
    }
    return to_odd(high, rest);
  }

 private:
  std::vector<double> parts_;
};

/// Exact: two significands of 24 bits fit one of 53, and no product leaves double's range.
double product(float a, float b) { return static_cast<double>(a) * static_cast<double>(b); }

double sequential_sum(const AccumulatorSpec& spec, std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    const double exact = product(a[k], b[k]);
    const double term = spec.product == ProductRounding::Fused ? exact : nearest(spec.sum, exact);
    sum = nearest(spec.sum, sum_to_odd(sum, term));
  }
  return sum;
}

int exponent_of(float v, int least) { return std::max(std::ilogb(v), least); }

/// E of AccumulatorSpec; 0 where all terms are zero.
int alignment_exponent(const AccumulatorSpec& spec, float running, std::span<const float> a, std::span<const float> b) {
  constexpr int kNone = std::numeric_limits<int>::min();
  int largest = kNone;
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (a[k] == 0 || b[k] == 0) continue;
    largest = std::max(largest, exponent_of(a[k], spec.emin_a) + exponent_of(b[k], spec.emin_b));
  }
  if (spec.running == RunningSum::Aligned && running != 0) {
    largest = std::max(largest, exponent_of(running, spec.between.emin()));
  }
  return largest == kNone ? 0 : largest;
}

double round_to_integer(RoundingMode mode, double v) {
  constexpr FormatSpec kIntegers = integer_format(53);  // |v| < 2^38
  return rounded(kIntegers, mode, v);
}

/// The exact sum of the aligned terms, rounded to odd. All steps but the last are exact in double.
double group_sum(const AccumulatorSpec& spec, float running, std::span<const float> a, std::span<const float> b) {
  const bool exact = spec.alignment_bits == kExactAlignment;
  const int unit = exact ? 0 : alignment_exponent(spec, running, a, b) - spec.alignment_bits;
  const auto aligned = [&](double term) {
    return exact ? term : std::ldexp(round_to_integer(spec.alignment, std::ldexp(term, -unit)), unit);
  };
  ExactSum sum;
  for (std::size_t k = 0; k < a.size(); ++k) sum.add(aligned(product(a[k], b[k])));
  if (spec.running == RunningSum::Aligned) sum.add(aligned(static_cast<double>(running)));
  return sum.rounded_to_odd();
}

bool all_finite(float running, std::span<const float> a, std::span<const float> b) {
  const auto finite = [](float v) { return std::isfinite(v); };
  return finite(running) && std::all_of(a.begin(), a.end(), finite) && std::all_of(b.begin(), b.end(), finite);
}

/// IEEE addition where a term is not finite: nothing can be aligned then.
double special_sum(float running, std::span<const float> a, std::span<const float> b) {
  double sum = static_cast<double>(running);
  for (std::size_t k = 0; k < a.size(); ++k) sum += product(a[k], b[k]);
  return sum;
}

double chunk_sum(const AccumulatorSpec& spec, std::span<const float> a, std::span<const float> b) {
  if (spec.chunk_sum == ChunkSum::Sequential) return sequential_sum(spec, a, b);
  float running = 0;
  const auto group = static_cast<std::size_t>(spec.group);
  for (std::size_t first = 0; first < a.size(); first += group) {
    const std::size_t count = std::min(group, a.size() - first);
    running = accumulate_group(spec, running, a.subspan(first, count), b.subspan(first, count));
  }
  return static_cast<double>(running);
}

double add_chunks(const AccumulatorSpec& spec, double x, double y) {
  return nearest(spec.chunk_format, sum_to_odd(x, y));
}

double pairwise_sum(const AccumulatorSpec& spec, std::span<const double> sums) {
  if (sums.size() == 1) return sums[0];
  std::size_t half = 1;
  while (2 * half < sums.size()) half *= 2;
  return add_chunks(spec, pairwise_sum(spec, sums.first(half)), pairwise_sum(spec, sums.subspan(half)));
}

double sum_of_chunks(const AccumulatorSpec& spec, std::span<const float> a, std::span<const float> b) {
  if (spec.chunk == 0 || a.empty()) return chunk_sum(spec, a, b);
  const auto chunk = static_cast<std::size_t>(spec.chunk);
  std::vector<double> sums;
  for (std::size_t first = 0; first < a.size(); first += chunk) {
    const std::size_t count = std::min(chunk, a.size() - first);
    sums.push_back(add_chunks(spec, 0, chunk_sum(spec, a.subspan(first, count), b.subspan(first, count))));
  }
  if (spec.chunk_order == ChunkOrder::Pairwise) return pairwise_sum(spec, sums);
  double sum = 0;
  for (const double s : sums) sum = add_chunks(spec, sum, s);
  return sum;
}

}  // namespace

float accumulate_group(const AccumulatorSpec& spec, float running, std::span<const float> a, std::span<const float> b) {
  BITLAW_CHECK(a.size() == b.size() && a.size() <= static_cast<std::size_t>(spec.group), "{} by {} elements in a group",
               a.size(), b.size());
  double sum = 0;
  if (!all_finite(running, a, b)) {
    sum = special_sum(running, a, b);
  } else if (spec.running == RunningSum::Aligned) {
    sum = group_sum(spec, running, a, b);
  } else {
    sum = sum_to_odd(static_cast<double>(running), nearest(spec.group_sum, group_sum(spec, running, a, b)));
  }
  return static_cast<float>(rounded(spec.between, spec.between_rounding, sum));
}

float accumulate_dot(const AccumulatorSpec& spec, std::span<const float> a, std::span<const float> b) {
  BITLAW_CHECK(spec.is_valid(), "an accumulator out of range");
  BITLAW_CHECK(a.size() == b.size(), "{} by {} elements in a dot product", a.size(), b.size());
  double sum = nearest(spec.result, sum_of_chunks(spec, a, b));
  if (spec.grid_bits) sum = std::ldexp(std::nearbyint(std::ldexp(sum, *spec.grid_bits)), -*spec.grid_bits);
  return std::isnan(sum) ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(sum);
}

void gemm_accumulate_reference(const AccumulatorSpec& spec, ConstMatrixView<float> a, ConstMatrixView<float> b,
                               MatrixView<float> c) {
  BITLAW_CHECK(a.cols == b.cols && c.rows == a.rows && c.cols == b.rows,
               "a [{}, {}] times b [{}, {}]^T into c [{}, {}]", a.rows, a.cols, b.rows, b.cols, c.rows, c.cols);
  const auto inner = static_cast<std::size_t>(a.cols);
  for (std::int64_t i = 0; i < c.rows; ++i) {
    for (std::int64_t j = 0; j < c.cols; ++j) c(i, j) = accumulate_dot(spec, {a.row(i), inner}, {b.row(j), inner});
  }
}

}  // namespace bitlaw
