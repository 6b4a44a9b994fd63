#include "fitting/predict/optimum.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/math/tools/minima.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <cstdint>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "fitting/laws/fp_quantization.h"
#include "fitting/predict/input_place.h"

namespace bitlaw {
namespace {

constexpr double kLeastParams = 1e3, kMostParams = 1e18, kLeastBits = 1, kMostBits = 64, kMostTokens = 1e30;
constexpr double kLeastBlock = 8, kMostBlock = 4096;
constexpr int kDigits = 26;                      // half those of a double, all that values near a minimum tell
constexpr int kLayouts = 9, kLayoutDigits = 17;  // 1e-5 of a bit, so 1e-10 of the loss

struct LeastPlace {
  double x = 0, value = kInfinity;
  bool inside = false;
};

/// The least value of f on [low, high]: the best of a grid, then Brent's method between its neighbours, to so many
/// binary digits of x.
template <typename F>
LeastPlace least_on(const F& f, double low, double high, int grid, int digits = kDigits) {
  const auto x_of = [&](int i) { return low + (high - low) * i / (grid - 1); };
  int best = 0;
  double least = kInfinity;
  for (int i = 0; i < grid; ++i) {
    const double value = f(x_of(i));
    if (value < least) {
      least = value;
      best = i;
    }
  }
  if (std::isinf(least)) return {};
  const bool inside = best > 0 && best < grid - 1;
  const auto [x, value] =
      boost::math::tools::brent_find_minima(f, x_of(std::max(best - 1, 0)), x_of(std::min(best + 1, grid - 1)), digits);
  if (!inside && !(value < least)) return {x_of(best), least, false};
  return {x, value, inside};
}

/// Where the loss is least over N for a number of bits.
Optimum best_size(const SizedLoss& loss, std::span<const double> natural, const TrainingCost& cost, double compute,
                  double bits) {
  const auto at = [&](double log_params) {
    const double params = std::exp(log_params);
    return loss(natural, params, cost.tokens(compute, params, bits), bits);
  };
  const LeastPlace least = least_on(at, std::log(kLeastParams), std::log(kMostParams), 120);
  const double params = std::exp(least.x);
  return {params, cost.tokens(compute, params, bits), bits, least.value, least.inside};
}

/// The size that a budget leaves for given bits.
Optimum held_size(const SizedLoss& loss, std::span<const double> natural, const TrainingCost& cost, double compute,
                  const HeldSizes& held, double bits) {
  if (held.params) {
    const double tokens = cost.tokens(compute, *held.params, bits);
    return {*held.params, tokens, bits, loss(natural, *held.params, tokens, bits), true};
  }
  if (held.tokens) {
    const double params = cost.params(compute, *held.tokens, bits);
    return {params, *held.tokens, bits, loss(natural, params, *held.tokens, bits), true};
  }
  return best_size(loss, natural, cost, compute, bits);
}

/// x with f(x) = value, where f rises with x, from 1e-3 to 1e60; 0 below. A power law takes two steps.
template <typename F>
double where_reached(const F& f, double value) {
  const auto rest = [&](double log_x) { return std::log(f(std::exp(log_x)) / value); };
  const double low = std::log(1e-3), high = std::log(1e60);
  if (!(rest(low) < 0)) return 0;
  std::uintmax_t steps = 200;
  const auto [left, right] =
      boost::math::tools::toms748_solve(rest, low, high, boost::math::tools::eps_tolerance<double>(50), steps);
  return std::exp((left + right) / 2);
}

/// Not looked whether it is the best.
BlockOptimum with_block(const Law& fp_quantization, std::span<const double> natural, const TrainingCost& cost,
                        const BlockQuestion& question, double block) {
  const FloatLayout& layout = question.layout;
  const double bits = layout.exponent_bits + layout.mantissa_bits + 1 + question.scale_bits / block;
  const double tokens = cost.tokens(question.compute, question.params, bits);
  const std::array inputs{question.params, tokens, layout.exponent_bits, layout.mantissa_bits, block};
  return {.block = block, .tokens = tokens, .loss = fp_quantization.predict(natural, inputs)};
}

}  // namespace

double TrainingCost::flops(double params, double tokens, double bits) const {
  return formula ? formula(params, tokens, bits) : factor * (bits + offset) * params * tokens;
}

double TrainingCost::tokens(double compute, double params, double bits) const {
  if (!formula) return compute / (factor * (bits + offset) * params);
  return where_reached([&](double tokens) { return formula(params, tokens, bits); }, compute);
}

double TrainingCost::params(double compute, double tokens, double bits) const {
  if (!formula) return compute / (factor * (bits + offset) * tokens);
  return where_reached([&](double params) { return formula(params, tokens, bits); }, compute);
}

SizedLoss::SizedLoss(const Law& law, const std::map<std::string, double>& given) : law_(law) {
  const auto& inputs = law.inputs();
  inputs_.assign(inputs.size(), kNan);
  params_ = input_place(law, "N");
  tokens_ = input_place(law, "D");
  if (params_ == inputs.size() || tokens_ == inputs.size()) {
    throw InputError(fmt::format(
        "law '{}': does not take both N and D, so a budget has no best split; use one that does", law.name()));
  }
  for (const auto& [name, value] : given) {
    const std::size_t place = input_place(law, name);
    if (place == inputs.size() || place == params_ || place == tokens_ || !(value >= least_value(name))) {
      throw InputError(
          fmt::format("{}={}: is no input that law '{}' can be given beside N and D, so it would be ignored; "
                      "its inputs are {}",
                      name, value, law.name(), fmt::join(inputs, ", ")));
    }
    inputs_[place] = value;
  }
  const Bits layout = &law == &fp_quantization_law() ? Bits::BestLayout : Bits::AnyLayout;
  for (const auto& [kind, names] :
       {std::pair<Bits, std::vector<std::string_view>>{layout, {"E", "M"}}, {Bits::Widths, {"Pw", "Pa", "Pkv"}}}) {
    std::vector<std::size_t> places;
    for (const std::string_view name : names) {
      const std::size_t place = input_place(law, name);
      if (place < inputs.size() && std::isnan(inputs_[place])) places.push_back(place);
    }
    if (places.size() != names.size()) continue;
    bits_ = kind;
    bit_places_ = places;
  }
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const bool is_bits = std::find(bit_places_.begin(), bit_places_.end(), k) != bit_places_.end();
    if (k == params_ || k == tokens_ || is_bits || !std::isnan(inputs_[k])) continue;
    throw InputError(
        fmt::format("law '{}': {} is not given, so it has no loss; add {}=...", law.name(), inputs[k], inputs[k]));
  }
}

double SizedLoss::operator()(std::span<const double> natural, double params, double tokens, double bits) const {
  std::vector<double> inputs = inputs_;
  inputs[params_] = params;
  inputs[tokens_] = tokens;
  const auto predicted = [&] {
    const double loss = law_.predict(natural, inputs);
    return std::isnan(loss) ? kInfinity : loss;
  };
  const auto with_layout = [&](const FloatLayout& layout) {
    inputs[bit_places_[0]] = layout.exponent_bits;
    inputs[bit_places_[1]] = layout.mantissa_bits;
    return predicted();
  };
  switch (bits_) {
    case Bits::BestLayout:
      return with_layout(best_layout(natural, bits));
    case Bits::AnyLayout: {
      const double rest = std::max(0.0, bits - 1);
      const auto split = [&](double exponent) { return with_layout({exponent, rest - exponent}); };
      return rest > 0 ? least_on(split, 0, rest, kLayouts, kLayoutDigits).value : split(0);
    }
    case Bits::Widths:
      for (const std::size_t place : bit_places_) inputs[place] = bits;
      break;
    case Bits::None:
      break;
  }
  return predicted();
}

FloatLayout best_layout(std::span<const double> fp_quantization, double bits) {
  const double delta = fp_quantization[6], nu = fp_quantization[7];
  const double exponent = std::clamp(delta / (delta + nu) * bits - 0.5, 0.0, std::max(0.0, bits - 1));
  return {exponent, std::max(0.0, bits - 1) - exponent};
}

FloatLayout best_whole_layout(std::span<const double> fp_quantization, int bits) {
  const double delta = fp_quantization[6], nu = fp_quantization[7];
  FloatLayout best;
  double most = -kInfinity;
  for (int exponent = 0; exponent < bits; ++exponent) {
    const int mantissa = bits - 1 - exponent;
    const double value = delta * std::log(exponent + 0.5) + nu * std::log(mantissa + 0.5);
    if (value <= most) continue;
    most = value;
    best = {static_cast<double>(exponent), static_cast<double>(mantissa)};
  }
  return best;
}

Optimum best_for_compute(const SizedLoss& loss, std::span<const double> natural, const TrainingCost& cost,
                         double compute, const HeldSizes& held) {
  if (held.bits) return held_size(loss, natural, cost, compute, held, *held.bits);
  const auto at = [&](double log_bits) {
    return held_size(loss, natural, cost, compute, held, std::exp(log_bits)).loss;
  };
  const LeastPlace least = least_on(at, std::log(kLeastBits), std::log(kMostBits), 60);
  Optimum best = held_size(loss, natural, cost, compute, held, std::exp(least.x));
  best.inside = best.inside && least.inside;
  return best;
}

Optimum critical_tokens(const SizedLoss& loss, std::span<const double> natural, double params, double bits) {
  const auto at = [&](double log_tokens) { return loss(natural, params, std::exp(log_tokens), bits); };
  const LeastPlace least = least_on(at, 0, std::log(kMostTokens), 300);
  return {params, std::exp(least.x), bits, least.value, least.inside};
}

std::optional<double> tokens_to_reach(const SizedLoss& loss, std::span<const double> natural, double params,
                                      double bits, double target) {
  const Optimum most = critical_tokens(loss, natural, params, bits);
  if (!(most.loss <= target)) return std::nullopt;
  double low = 0, high = std::log(most.tokens);  // the loss falls up to there
  if (loss(natural, params, 1, bits) <= target) return 1;
  for (int i = 0; i < 200 && high - low > 1e-13 * high; ++i) {
    const double middle = (low + high) / 2;
    (loss(natural, params, std::exp(middle), bits) <= target ? high : low) = middle;
  }
  return std::exp(high);
}

BlockOptimum best_block(const Law& fp_quantization, std::span<const double> natural, const TrainingCost& cost,
                        const BlockQuestion& question) {
  const auto at = [&](double log_block) {
    return with_block(fp_quantization, natural, cost, question, std::exp(log_block)).loss;
  };
  const LeastPlace least = least_on(at, std::log(kLeastBlock), std::log(kMostBlock), 60);
  BlockOptimum best = with_block(fp_quantization, natural, cost, question, std::exp(least.x));
  best.inside = least.inside;
  return best;
}

BlockOptimum best_power_of_two(const Law& fp_quantization, std::span<const double> natural, const TrainingCost& cost,
                               const BlockQuestion& question) {
  BlockOptimum best{.block = 0, .tokens = 0, .loss = kInfinity};
  for (double block = kLeastBlock; block <= kMostBlock; block *= 2) {
    const BlockOptimum other = with_block(fp_quantization, natural, cost, question, block);
    if (other.loss < best.loss) best = other;
  }
  return best;
}

}  // namespace bitlaw
