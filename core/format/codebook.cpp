#include "core/format/codebook.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/error.h"

namespace bitlaw {
Codebook::Codebook(std::span<const float> values) {
  if (values.size() < 2 || values.size() > kMostValues) {
    throw InputError(
        fmt::format("a codebook of {} values has no codes of 1 to 8 bits; give 2 to {}", values.size(), kMostValues));
  }
  Lists lists;
  for (const float value : values) {
    if (!std::isfinite(value)) {
      throw InputError(
          fmt::format("{} in a codebook, so nothing lies between it and its neighbour; give finite float32 "
                      "numbers",
                      value));
    }
    lists.codes.push_back(static_cast<std::uint8_t>(lists.values.size()));
    lists.values.push_back(value == 0 ? 0.0F : value);
  }
  const auto value_of_code = [&](std::uint8_t code) { return lists.values[code]; };
  std::sort(lists.codes.begin(), lists.codes.end(),
            [&](std::uint8_t a, std::uint8_t b) { return value_of_code(a) < value_of_code(b); });
  std::transform(lists.codes.begin(), lists.codes.end(), std::back_inserter(lists.ascending), value_of_code);
  const auto twice = std::adjacent_find(lists.ascending.begin(), lists.ascending.end());
  if (twice != lists.ascending.end()) {
    throw InputError(fmt::format("{} is twice in a codebook (as float32), so it has two codes; leave one out", *twice));
  }
  lists_ = std::make_shared<const Lists>(std::move(lists));
}

float Codebook::max_magnitude() const { return std::max(std::abs(lowest()), std::abs(max())); }

const Codebook& nf4() {
  static const Codebook book{-1.0F,
                             -0.6961928009986877F,
                             -0.5250730514526367F,
                             -0.39491748809814453F,
                             -0.28444138169288635F,
                             -0.18477343022823334F,
                             -0.09105003625154495F,
                             0.0F,
                             0.07958029955625534F,
                             0.16093020141124725F,
                             0.24611230194568634F,
                             0.33791524171829224F,
                             0.44070982933044434F,
                             0.5626170039176941F,
                             0.7229568362236023F,
                             1.0F};
  return book;
}

Codebook log_codebook(int bits, int steps) {
  BITLAW_CHECK(bits >= 2 && bits <= 8 && steps >= 1 && steps <= 64, "{} bits, {} steps", bits, steps);
  std::vector<float> values{0};
  for (int j = 0; j < (1 << (bits - 1)) - 1; ++j) {
    const auto v = static_cast<float>(std::exp2(-static_cast<double>(j) / steps));
    values.insert(values.end(), {v, -v});
  }
  std::sort(values.begin(), values.end());
  return Codebook(values);
}

namespace {

/// Whether the upper neighbour is taken; v lies strictly between `below` and `above`.
bool takes_above(const Rounding& rounding, float below, float above, bool below_is_odd, bool above_is_odd, double v,
                 const RandomWords& random) {
  const bool lo_is_below = std::abs(below) <= std::abs(above);
  const double lo = lo_is_below ? below : above;
  const double hi = lo_is_below ? above : below;
  const bool lo_is_odd = lo_is_below ? below_is_odd : above_is_odd;
  const double middle = (lo + hi) / 2;
  const bool is_tie = v == middle;
  const bool nearer_hi = lo_is_below ? v > middle : v < middle;
  const auto choose = [&](bool hi_wins) { return hi_wins == lo_is_below; };
  switch (rounding.mode) {
    case RoundingMode::TiesToEven:
      return choose(nearer_hi || (is_tie && lo_is_odd));
    case RoundingMode::TiesToAway:
      return choose(nearer_hi || is_tie);
    case RoundingMode::TiesTowardZero:
      return choose(nearer_hi);
    case RoundingMode::TowardZero:
      return choose(false);
    case RoundingMode::TowardPositive:
      return true;
    case RoundingMode::TowardNegative:
      return false;
    case RoundingMode::ToOdd:
      return choose(!lo_is_odd);
    case RoundingMode::StochasticA:
    case RoundingMode::StochasticB:
    case RoundingMode::StochasticC:
    case RoundingMode::StochasticExact:
      return choose(stochastic_rounds_up(rounding, (v - lo) / (hi - lo), random));
  }
  return false;
}

}  // namespace

std::size_t round_reference(const Codebook& book, const Rounding& rounding, double v, const RandomWords& random) {
  BITLAW_CHECK(rounding.is_valid(), "{} random bits", rounding.bits);
  const auto values = book.ascending();
  const auto codes = book.ascending_codes();
  const auto above = static_cast<std::size_t>(std::upper_bound(values.begin(), values.end(), v) - values.begin());
  if (above == 0) return 0;
  const std::size_t below = above - 1;
  if (above == values.size() || values[below] == v) return below;
  const bool up =
      takes_above(rounding, values[below], values[above], codes[below] % 2 != 0, codes[above] % 2 != 0, v, random);
  return up ? above : below;
}

}  // namespace bitlaw
