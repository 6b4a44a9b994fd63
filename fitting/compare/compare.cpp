#include "fitting/compare/compare.h"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/base/check.h"
#include "core/base/limits.h"
#include "core/random/philox.h"
#include "fitting/fit/all_finite.h"
#include "fitting/uncertainty/covariance.h"

namespace bitlaw {
namespace {

Observations rows_of(const Observations& all, const std::vector<std::size_t>& rows) {
  Observations some;
  for (const std::size_t i : rows) {
    some.ids.push_back(all.ids[i]);
    some.inputs.push_back(all.inputs[i]);
    some.loss.push_back(all.loss[i]);
    some.cluster.push_back(all.cluster[i]);
    if (!all.weights.empty()) some.weights.push_back(all.weights[i]);
  }
  return some;
}

/// log predicted - log observed on rows `test` of a fit to rows `train`; NaNs where nothing can be fitted.
std::vector<double> left_out_residuals(const Law& law, const Observations& all, const std::vector<std::size_t>& train,
                                       const std::vector<std::size_t>& test, const FitOptions& options) {
  const std::vector<double> natural = fit_law(law, rows_of(all, train), options, "part").estimates();
  std::vector<double> residuals;
  for (const std::size_t i : test) {
    residuals.push_back(std::log(law.predict(natural, all.inputs[i]) / all.loss[i]));
  }
  return residuals;
}

double root_mean_square(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return values.empty() ? kNan : std::sqrt(sum / static_cast<double>(values.size()));
}

double mean(const std::vector<double>& values) {
  return values.empty() ? kNan
                        : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Residuals [n] of every row by the fit to the folds that it is not in.
std::vector<double> fold_residuals(const Law& law, const Observations& all, const CompareOptions& options) {
  std::vector<std::string> runs(all.cluster.begin(), all.cluster.end());
  std::sort(runs.begin(), runs.end());
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  for (std::size_t k = runs.size(); k > 1; --k) {  // Fisher-Yates
    const std::size_t chosen = (std::uint64_t{random_bits({.seed = options.fit.seed, .slot = 2}, k)} * k) >> 32;
    std::swap(runs[k - 1], runs[chosen]);
  }
  std::vector<double> residuals(all.loss.size(), kNan);
  const auto folds = static_cast<std::size_t>(options.folds);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    std::vector<std::size_t> train, test;
    for (std::size_t i = 0; i < all.loss.size(); ++i) {
      const auto run = static_cast<std::size_t>(std::find(runs.begin(), runs.end(), all.cluster[i]) - runs.begin());
      (run % folds == fold ? test : train).push_back(i);
    }
    if (test.empty()) continue;
    const std::vector<double> part = left_out_residuals(law, all, train, test, options.fit);
    for (std::size_t k = 0; k < test.size(); ++k) residuals[test[k]] = part[k];
  }
  return residuals;
}

/// What runs are ordered by for rollouts: N D, or the first input.
double order_of(const Law& law, const std::vector<double>& inputs) {
  const auto& names = law.inputs();
  const auto n = std::find(names.begin(), names.end(), "N"), d = std::find(names.begin(), names.end(), "D");
  if (n == names.end() || d == names.end()) return inputs.front();
  return inputs[static_cast<std::size_t>(n - names.begin())] * inputs[static_cast<std::size_t>(d - names.begin())];
}

/// How many of the rows, in `order`, lie up to each cutoff.
std::vector<std::size_t> cutoffs_of(const Law& law, const Observations& all, const std::vector<std::size_t>& order,
                                    const CompareOptions& options) {
  std::vector<std::size_t> cutoffs;
  const auto least = static_cast<std::size_t>(std::ceil(options.least_kept * static_cast<double>(order.size())));
  for (std::size_t kept = std::max<std::size_t>(least, 1); kept < order.size(); ++kept) {
    // Values that differ by rounding are one: IsoFLOP budgets.
    const double last = order_of(law, all.inputs[order[kept - 1]]), next = order_of(law, all.inputs[order[kept]]);
    if (next > last * (1 + 1e-6)) cutoffs.push_back(kept);
  }
  const auto most = static_cast<std::size_t>(options.cutoffs);
  if (cutoffs.size() <= most) return cutoffs;
  std::vector<std::size_t> spaced;
  for (std::size_t k = 0; k < most; ++k)
    spaced.push_back(cutoffs[k * (cutoffs.size() - 1) / std::max<std::size_t>(most - 1, 1)]);
  return spaced;
}

std::vector<double> rollout_residuals(const Law& law, const Observations& all, const CompareOptions& options) {
  std::vector<std::size_t> order(all.loss.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return order_of(law, all.inputs[a]) < order_of(law, all.inputs[b]);
  });
  std::vector<double> residuals;
  for (const std::size_t kept : cutoffs_of(law, all, order, options)) {
    const auto cutoff = order.begin() + static_cast<std::ptrdiff_t>(kept);
    const std::vector<std::size_t> train(order.begin(), cutoff), test(cutoff, order.end());
    const std::vector<double> part = left_out_residuals(law, all, train, test, options.fit);
    residuals.insert(residuals.end(), part.begin(), part.end());
  }
  return residuals;
}

/// Of rows as if independent; NaN where the objective is no density.
double log_likelihood_of(const FitRecord& fit, const ObjectiveSpec& spec, std::vector<double> weights) {
  const std::size_t n = fit.observed.size();
  weights.resize(n, 1);
  const double mean_weight = mean(weights);
  if (has_scale(spec.loss)) return spec.over_factor == 1 ? -fit.cost / mean_weight : kNan;
  std::vector<double> residuals;
  for (std::size_t i = 0; i < n; ++i) {
    residuals.push_back(spec.residual == Residual::Log ? std::log(fit.predicted[i] / fit.observed[i])
                                                       : fit.predicted[i] - fit.observed[i]);
  }
  const double delta = spec.loss == Loss::Huber ? spec.delta : kInfinity;
  return -huber_density_cost(residuals, weights, delta, spec.over_factor);
}

/// Z(t) = integral of exp(-H_t): sqrt(2 pi) erf(t / sqrt 2) + 2 exp(-t^2/2) / t.
double huber_integral(double threshold) {
  const double inner = std::sqrt(2 * std::numbers::pi) * std::erf(threshold / std::numbers::sqrt2);
  return std::isinf(threshold) ? inner : inner + 2 * std::exp(-threshold * threshold / 2) / threshold;
}

}  // namespace

double huber_density_cost(const std::vector<double>& residuals, const std::vector<double>& weights, double delta,
                          double over_factor) {
  BITLAW_CHECK(weights.size() == residuals.size(), "{} weights, {} residuals", weights.size(), residuals.size());
  double sum = 0;
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    sum += weights[i] * (residuals[i] > 0 ? over_factor : 1) * huber(residuals[i], delta);
  }
  // c H_delta(r) = H_(delta sqrt c)(r sqrt c), so each side of each row is a Huber density of its own scale.
  const auto half = [&](double factor, double s) { return s / factor * huber_integral(delta * factor / s) / 2; };
  const auto cost = [&](double log_scale) {
    const double s = std::exp(log_scale);
    double result = sum / (s * s);
    for (const double weight : weights) {
      const double root = std::sqrt(weight);
      result += std::log(half(root, s) + half(root * std::sqrt(over_factor), s));
    }
    return result;
  };
  const double guess =
      0.5 * std::log(std::max(2 * sum / static_cast<double>(residuals.size()), 1e-300));  // of a normal sample
  return boost::math::tools::brent_find_minima(cost, guess - 6, guess + 6, 40).second;
}

std::vector<double> stacking_weights(const std::vector<std::vector<double>>& given) {
  std::vector<std::size_t> able;  // laws with a residual for every row
  std::vector<std::vector<double>> residuals;
  for (std::size_t k = 0; k < given.size(); ++k) {
    if (!all_finite(given[k])) continue;
    able.push_back(k);
    residuals.push_back(given[k]);
  }
  // Frank-Wolfe with exact line search: towards the best single law each time. Few laws, so it converges fast enough.
  const std::size_t laws = residuals.size(), n = residuals.empty() ? 0 : residuals[0].size();
  std::vector<double> weights(laws, laws == 0 ? 0 : 1.0 / static_cast<double>(laws)), combined(n);
  for (std::size_t k = 0; k < laws; ++k) {
    for (std::size_t i = 0; i < n; ++i) combined[i] += weights[k] * residuals[k][i];
  }
  for (int step = 0; step < 2000 && laws > 1; ++step) {
    std::vector<double> slope(laws);
    for (std::size_t k = 0; k < laws; ++k) {
      slope[k] = std::inner_product(combined.begin(), combined.end(), residuals[k].begin(), 0.0);
    }
    const auto best = static_cast<std::size_t>(std::min_element(slope.begin(), slope.end()) - slope.begin());
    double along = 0, length = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double direction = residuals[best][i] - combined[i];
      along -= combined[i] * direction;
      length += direction * direction;
    }
    if (!(along > 0)) break;
    const double share = std::min(1.0, along / length);
    for (std::size_t k = 0; k < laws; ++k) weights[k] *= 1 - share;
    weights[best] += share;
    for (std::size_t i = 0; i < n; ++i) combined[i] += share * (residuals[best][i] - combined[i]);
  }
  std::vector<double> result(given.size());
  for (std::size_t k = 0; k < laws; ++k) result[able[k]] = weights[k];
  return result;
}

std::vector<LawScore> compare_laws(const std::vector<const Law*>& laws, const std::vector<Observations>& observations,
                                   const CompareOptions& options) {
  BITLAW_CHECK(laws.size() == observations.size(), "{} laws, {} observations", laws.size(), observations.size());
  CompareOptions quick = options;
  quick.fit.bootstrap = 0;
  quick.fit.profile = quick.fit.jackknife = false;
  std::vector<LawScore> scores;
  std::vector<std::vector<double>> left_out;
  for (std::size_t k = 0; k < laws.size(); ++k) {
    const Law& law = *laws[k];
    CompareOptions own = quick;  // parameters held only where the law has them
    std::erase_if(own.fit.fixed, [&](const auto& held) {
      return std::none_of(law.parameters().begin(), law.parameters().end(),
                          [&](const LawParameter& parameter) { return parameter.name == held.first; });
    });
    const FitRecord fit = fit_law(law, observations[k], own.fit, std::string(law.name()));
    LawScore& score = scores.emplace_back();
    score.law = law.name();
    score.parameters = 1 + law.parameters().size() - own.fit.fixed.size();
    score.converged = fit.converged;
    score.cost = fit.cost;
    const auto q = static_cast<double>(score.parameters),
               n = static_cast<double>(count_distinct(observations[k].cluster)),
               rows = static_cast<double>(fit.observed.size());
    score.log_likelihood = n / rows * log_likelihood_of(fit, own.fit.objective, observations[k].weights);
    score.aicc = n > q + 1 ? -2 * score.log_likelihood + 2 * q + 2 * q * (q + 1) / (n - q - 1) : kNan;
    score.bic = -2 * score.log_likelihood + q * std::log(n);
    left_out.push_back(fold_residuals(law, observations[k], own));
    score.folds_error = root_mean_square(left_out.back());
    const std::vector<double> beyond = rollout_residuals(law, observations[k], own);
    score.rollout_error = root_mean_square(beyond);
    score.rollout_bias = mean(beyond);
  }
  double least = kInfinity, sum = 0;
  for (const LawScore& score : scores) least = std::fmin(least, score.aicc);
  for (LawScore& score : scores) {
    score.weight = std::isnan(score.aicc) ? 0 : std::exp(-(score.aicc - least) / 2);
    sum += score.weight;
  }
  const std::vector<double> stacked = stacking_weights(left_out);
  for (std::size_t k = 0; k < scores.size(); ++k) {
    scores[k].weight /= sum;
    scores[k].stacking = stacked[k];
  }
  return scores;
}

}  // namespace bitlaw
